/** Whether what lies outside answers: the queue's transport and the calendar providers; and whose clock is off. */
import { type Environment, fields, loadSettings, pick, SettingsError } from '@bookiji/runtime';
import type { CommandContext } from '../context.ts';
import { type Finding, fail, nameFailure, ok, warn } from './finding.ts';

const ANSWER_WITHIN_MS = 5_000;
const SKEW_NOTED_MS = 2_000;
/** Tokens and signed links are judged by minutes. */
const SKEW_REFUSED_MS = 30_000;

export async function checkQueue(context: CommandContext): Promise<Finding> {
  const kind = context.environment.REDIS_URL ? 'Redis (REDIS_URL)' : "PostgreSQL (BullMQ's backend)";
  const startedAt = performance.now();
  try {
    await context.withQueues((queues) => queues.ping(ANSWER_WITHIN_MS));
    return ok('queue', `${kind}, answers in ${Math.round(performance.now() - startedAt)} ms`);
  } catch (error) {
    const fix = context.environment.REDIS_URL
      ? 'start Redis, or correct REDIS_URL; until then sweeps find the work'
      : 'the queue lives in the database: fix that first';
    return fail('queue', `${kind} does not answer (${nameFailure(error)})`, fix);
  }
}

const ADDRESSES = [
  ['Google sign-in', 'GOOGLE_AUTHORIZE_URL'],
  ['Google tokens', 'GOOGLE_TOKEN_URL'],
  ['Google calendar', 'GOOGLE_API_BASE_URL'],
  ['Microsoft sign-in', 'MICROSOFT_LOGIN_BASE_URL'],
  ['Microsoft Graph', 'MICROSOFT_GRAPH_BASE_URL'],
] as const;

export async function checkProviders(context: CommandContext): Promise<Finding[]> {
  const answers = await Promise.all(
    ADDRESSES.map(([check, variable]) =>
      checkAddress(context, check, variable, readAddress(context.environment, variable)),
    ),
  );
  return answers.flat();
}

function readAddress(environment: Environment, variable: (typeof ADDRESSES)[number][1]): string | null {
  try {
    return loadSettings(pick(variable), environment)[variable] ?? fields[variable].parse(undefined);
  } catch (error) {
    // Reported with the settings already.
    if (error instanceof SettingsError) return null;
    throw error;
  }
}

/** Any answer will do: what is asked for there needs a grant. */
async function checkAddress(
  context: CommandContext,
  check: string,
  variable: string,
  url: string | null,
): Promise<Finding[]> {
  if (url === null) return [];
  const { host } = new URL(url);
  try {
    const startedAt = performance.now();
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    await response.body?.cancel();
    const there = ok(check, `${host} answers in ${Math.round(performance.now() - startedAt)} ms`);
    const date = Date.parse(response.headers.get('date') ?? '');
    const skewMs = date - context.now().getTime();
    // The header counts whole seconds.
    return Number.isNaN(date) || Math.abs(skewMs) < SKEW_NOTED_MS
      ? [there]
      : [there, judgeSkew(`clock of ${host}`, skewMs)];
  } catch (error) {
    const fix = `let this machine reach ${host} (proxy, firewall, DNS), or correct ${variable}`;
    return [fail(check, `${host} does not answer (${nameFailure(error)})`, fix)];
  }
}

/** @param skewMs theirs minus ours. */
export function judgeSkew(check: string, skewMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  if (Math.abs(skewMs) < SKEW_NOTED_MS) return ok(check, `within ${seconds} s of ours`);
  const found = `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ours`;
  const fix = 'let both machines follow the same time (NTP)';
  return Math.abs(skewMs) < SKEW_REFUSED_MS ? warn(check, found, fix) : fail(check, found, fix);
}
