/** Every point times every strike against one running fleet, several at a time, never all processes of a role. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CalendarProvider } from '@bookiji/local-fleet';
import { waitUntil } from '@bookiji/local-fleet';
import { audit, type Verdict } from '../audit/audit.ts';
import { Ledger } from '../audit/ledger.ts';
import { countUnfinished, readSettledEvidence } from '../audit/read-evidence.ts';
import type { Member } from '../stage/crew.ts';
import { openStage, type Stage, type WorkingRole } from '../stage/open-stage.ts';
import { connectCalendars, type Desk, newProviderIds } from '../workload/connect-calendars.ts';
import { FAILPOINT_CASES, type FailpointCase } from './failpoint-cases.ts';
import type { ProbeReport } from './protocol.ts';
import { CALL_WITHIN_MS, type CaseOutcome, type CaseStrike, type StrikeContext, strikeCase } from './strike-case.ts';

/** Processes of each role, and how many of them may be struck at the same time. */
const CREW: Readonly<Record<WorkingRole, { readonly size: number; readonly struck: number }>> = {
  ingress: { size: 3, struck: 2 },
  'inbound-worker': { size: 5, struck: 4 },
  'outbound-worker': { size: 8, struck: 6 },
  'retry-worker': { size: 4, struck: 3 },
};

export interface FailpointRun {
  /** By the case's name. */
  readonly outcomes: ReadonlyMap<string, CaseOutcome>;
  readonly verdict: Verdict;
}

export interface NamedCase {
  readonly name: string;
  readonly one: FailpointCase;
  readonly strike: CaseStrike;
  readonly calendarProvider: CalendarProvider;
}

const CALENDAR_PROVIDERS: readonly CalendarProvider[] = ['google', 'microsoft'];

/** How much of everything: each point once one way (`each`), both ways (`both`), both ways at both providers (`all`). */
export type FailpointExtent = 'each' | 'both' | 'all';

/**
 * Where it is open what the calendar provider did, a point is struck both ways at both of them whatever the extent;
 * everywhere else ways and providers take turns.
 */
export function listCases(extent: FailpointExtent): NamedCase[] {
  const all = CALENDAR_PROVIDERS.flatMap((calendarProvider) =>
    (['stop', 'kill'] as const).flatMap((strike) =>
      FAILPOINT_CASES.map((one, at) => {
        const name = caseName(one, strike, calendarProvider);
        return { name, one, strike, calendarProvider, at };
      }),
    ),
  );
  return all.filter(({ one, strike, calendarProvider, at }) => {
    if (extent === 'all' || one.point.endsWith('.during') || one.point === 'call.createEvent.after') return true;
    const [isKill, isGoogle] = [strike === 'kill', calendarProvider === 'google'];
    const isInTurn = (at % 2 === 0) === (isKill === isGoogle);
    return isInTurn && (extent === 'both' || isKill === at % 4 < 2);
  });
}

function caseName(one: FailpointCase, strike: CaseStrike, calendarProvider: CalendarProvider): string {
  const how = strike === 'kill' ? 'kill -9' : 'SIGSTOP';
  return `${one.fault} ${one.role} at ${calendarProvider}, ${one.where} (${one.point}): ${how}`;
}

export async function runFailpoints(cases: readonly NamedCase[]): Promise<FailpointRun> {
  const ears = new Map<string, (member: Member, report: ProbeReport) => void>();
  const stage = await openStage({
    size: sizeOf(CREW),
    isProbed: true,
    environment: { PROVIDER_TIMEOUT_MS: String(CALL_WITHIN_MS) },
    events: { onReport: (member, report) => ears.get(report.id)?.(member, report) },
  });
  try {
    await stage.sandbox.order('PUT', '/settings', SANDBOX_SETTINGS);
    const ledger = new Ledger();
    const context: StrikeContext = {
      stage,
      ledger,
      listen(id, hear) {
        ears.set(id, hear);
        return () => void ears.delete(id);
      },
    };
    const outcomes = new Map<string, CaseOutcome>();
    const roles = Object.keys(CREW) as WorkingRole[];
    const wanted = roles.reduce((sum, role) => sum + CREW[role].struck, 0);
    const desks = {
      google: await connectCalendars(stage, 'google', newProviderIds(wanted)),
      microsoft: await connectCalendars(stage, 'microsoft', newProviderIds(wanted)),
    };
    await Promise.all(
      roles.map((role) => {
        const { struck } = CREW[role];
        const own = { google: desks.google.splice(0, struck), microsoft: desks.microsoft.splice(0, struck) };
        const mine = cases.filter(({ one }) => one.role === role);
        return strikeRole(context, own, mine, outcomes);
      }),
    );
    await untilQuiet(stage);
    return { outcomes, verdict: audit(ledger, await readSettledEvidence(stage.sql, stage.sandbox.url)) };
  } finally {
    await stage.close();
  }
}

const SANDBOX_SETTINGS = {
  google: { max_page_size: 5, user_requests_per_minute: null, project_requests_per_minute: null },
  microsoft: { max_page_size: 5, mailbox_requests_per_10_minutes: null },
  notifications: { timeout_ms: 2_000, retry_base_ms: 100, max_attempts: 12 },
};

/** As many cases at once as processes may be struck; one calendar serves one case at a time. */
async function strikeRole(
  context: StrikeContext,
  free: Readonly<Record<CalendarProvider, Desk[]>>,
  cases: readonly NamedCase[],
  outcomes: Map<string, CaseOutcome>,
): Promise<void> {
  const waiting = [...cases];
  const atOnce = free.google.length;
  let isRefreshing = false;
  const work = async () => {
    while (waiting.length > 0) {
      // A refresh names no calendar, so two of them at once could not be told apart.
      const at = waiting.findIndex(({ one }) => one.scenario !== 'token_expired' || !isRefreshing);
      const [next] = at < 0 ? [] : waiting.splice(at, 1);
      if (next === undefined) {
        await sleep(100);
        continue;
      }
      const { name, one, strike, calendarProvider } = next;
      const isRefresh = one.scenario === 'token_expired';
      if (isRefresh) isRefreshing = true;
      const desk = free[calendarProvider].pop() as Desk;
      outcomes.set(name, await strikeCase(context, desk, one, strike));
      free[calendarProvider].push(desk);
      if (isRefresh) isRefreshing = false;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** Nothing is left to do and no notification is under way; what is not by then is a finding. */
async function untilQuiet(stage: Stage): Promise<void> {
  const isQuiet = async () => {
    const { pending } = await stage.sandbox.order<{ pending: number }>('GET', '/notifications?limit=0');
    const [row] = await stage.sql<{ unfinished: number }[]>`SELECT ${countUnfinished(stage.sql)} AS unfinished`;
    return pending === 0 && row?.unfinished === 0;
  };
  await waitUntil('quiet', isQuiet, 30_000, 100).catch(() => undefined);
}

function sizeOf(crew: typeof CREW): Record<WorkingRole, number> {
  return Object.fromEntries(Object.entries(crew).map(([role, { size }]) => [role, size])) as Record<
    WorkingRole,
    number
  >;
}
