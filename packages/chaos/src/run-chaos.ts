/**
 * One chaos run: a fleet of real processes, people who book and owners who write, everything going wrong that the plan
 * says, and then an auditor who was not there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit/audit.ts';
import { Ledger } from './audit/ledger.ts';
import { countUnfinished, listUnfinished, readSettledEvidence } from './audit/read-evidence.ts';
import { Injector } from './faults/injector.ts';
import { StandingFaults } from './faults/standing-faults.ts';
import type { Handicap } from './plan/handicap.ts';
import { LAST_DROP_SHARE, type PlannedTick, type RunPlan } from './plan/plan-run.ts';
import { measureFleet, measureProviders } from './report/measure.ts';
import type { ChaosReport } from './report/report.ts';
import { openStage, type Stage, type StageOptions, type WorkingRole } from './stage/open-stage.ts';
import { BookingService } from './workload/booking-service.ts';
import { connectCalendars, type Desk } from './workload/connect-calendars.ts';
import { Forger } from './workload/forger.ts';
import { firstHour } from './workload/hours.ts';
import { Owners } from './workload/owners.ts';

export interface ChaosOptions {
  readonly crew: Readonly<Record<WorkingRole, number>>;
  readonly handicap?: Handicap | null;
  /** Providers lose and delay far more answers. */
  readonly isHarsh?: boolean;
  /** The shortest a tick takes, milliseconds. */
  readonly tickMs?: number;
  readonly onProgress?: (line: string) => void;
  /** Other stores than one Redis and PostgreSQL itself. */
  readonly stores?: Pick<StageOptions, 'startPostgres' | 'startRedis' | 'startPooler'>;
  /** Looks on: called when the fleet is ready, and what it returns when everything is over. */
  readonly watch?: (stage: Stage) => Promise<() => Promise<void>>;
}

export const CI_CREW: Readonly<Record<WorkingRole, number>> = {
  ingress: 2,
  'inbound-worker': 2,
  'outbound-worker': 3,
  'retry-worker': 2,
};
export const SMALL_CREW: Readonly<Record<WorkingRole, number>> = {
  ingress: 1,
  'inbound-worker': 1,
  'outbound-worker': 2,
  'retry-worker': 1,
};

const TICK_MS = 500;
const LOOK_AGAIN_MS = 200;
/** People are not booked faster than the fleet works, so that a slow machine takes longer and tests the same. */
const BACKLOG_AT_MOST = 400;
const LAST_BACKLOG_AT_MOST = 60;
/** The promise, and how long it is waited for beyond that before the run is given up. */
export const CONVERGED_WITHIN_MS = 10_000;
/** Longer than the fleet takes to find out that a worker has lost its queue and to start it again. */
const GIVEN_UP_AFTER_MS = 90_000;
/** What is still waited for by then is said, so that a late run can be understood. */
const SLOW_MS = 5_000;
const SHOWN_UNFINISHED = 5;

export async function runChaos(plan: RunPlan, options: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  const handicap = options.handicap ?? null;
  // Who has no sweeps has no process that sweeps; channels are opened while there still is one.
  const stage = await openStage({ size: options.crew, isProbed: false, ...options.stores });
  try {
    await stage.sandbox.order('PUT', '/settings', sandboxSettings());
    const desks = await connectAll(stage, plan);
    if (handicap !== null) await takeAway(stage, handicap);
    const endWatch = await options.watch?.(stage);
    const readyAt = performance.now();
    const played = await play(stage, plan, desks, options);
    const healedAt = performance.now();
    const convergedAfterMs = await untilConverged(stage, played.ledger, {
      isExpected: handicap !== 'no_sweeps',
      ...options,
    });
    await endWatch?.();
    const verdict = audit(played.ledger, await readSettledEvidence(stage.sql, stage.sandbox.url));
    const providers = await measureProviders(stage);
    return {
      seed: plan.seed,
      digest: plan.digest,
      handicap,
      crew: options.crew,
      verdict,
      convergedAfterMs,
      seconds: {
        start: toSeconds(readyAt - startedAt),
        play: toSeconds(healedAt - readyAt),
        converge: toSeconds(performance.now() - healedAt),
        total: toSeconds(performance.now() - startedAt),
      },
      workload: {
        bookings: plan.bookings.length,
        intents: plan.ticks.reduce((sum, { intents }) => sum + intents.length, 0),
        handedIn: played.bookingService.doors,
        saidAgain: played.bookingService.republished,
        ownerActs: played.owners.acts,
        notifications: providers.notifications + played.forger.sent,
        forgeries: Object.fromEntries(played.ledger.forgeries),
      },
      faults: {
        struck: played.injector.struck,
        missed: played.injector.missed.length,
        providers: played.standing.struck,
      },
      providers,
      fleet: await measureFleet(stage),
    };
  } finally {
    await stage.close();
  }
}

function sandboxSettings() {
  return {
    google: { user_requests_per_minute: null, project_requests_per_minute: null, max_page_size: 100 },
    microsoft: { mailbox_requests_per_10_minutes: null, notifications_per_change: 3 },
    notifications: { timeout_ms: 3_000, retry_base_ms: 100, max_attempts: 12 },
  };
}

async function connectAll(stage: Stage, { providerIds }: RunPlan): Promise<Desk[]> {
  const half = providerIds.length / 2;
  const google = await connectCalendars(stage, 'google', providerIds.slice(0, half));
  return [...google, ...(await connectCalendars(stage, 'microsoft', providerIds.slice(half)))];
}

async function takeAway(stage: Stage, handicap: Handicap): Promise<void> {
  if (handicap === 'no_sweeps') {
    await Promise.all(stage.crew.of('retry-worker').map((member) => member.stop()));
    return;
  }
  const forget = handicap === 'provider_made_ids' ? { client_ids: true } : { if_match: true };
  await stage.sandbox.order('PUT', '/settings', { forget });
}

interface Played {
  readonly ledger: Ledger;
  readonly bookingService: BookingService;
  readonly owners: Owners;
  readonly forger: Forger;
  readonly injector: Injector;
  readonly standing: StandingFaults;
}

async function play(
  stage: Stage,
  plan: RunPlan,
  desks: readonly Desk[],
  { tickMs = TICK_MS, onProgress, handicap, isHarsh = false }: ChaosOptions,
): Promise<Played> {
  const firstHourMs = firstHour(Date.now());
  const ledger = new Ledger();
  const bookingService = new BookingService(stage, plan, ledger, firstHourMs);
  const owners = new Owners(stage, desks, firstHourMs);
  const forger = new Forger(stage, ledger);
  const injector = new Injector(stage, () => bookingService.sayAgain());
  const standing = new StandingFaults(stage, isHarsh);
  await standing.order(plan.seed);
  const lastDrop = Math.floor(plan.ticks.length * LAST_DROP_SHARE);
  for (const [at, tick] of plan.ticks.entries()) {
    const tickEndsAt = performance.now() + tickMs;
    if (at === lastDrop) await standing.endNotificationFaults();
    playTick(tick, desks, { bookingService, owners, forger, injector });
    await sleep(Math.max(0, tickEndsAt - performance.now()));
    const atMost = at < lastDrop + (plan.ticks.length - lastDrop) / 2 ? BACKLOG_AT_MOST : LAST_BACKLOG_AT_MOST;
    const backlog = handicap === 'no_sweeps' ? 0 : await untilBacklogIsShort(stage, atMost);
    if (at % 10 === 0) onProgress?.(`tick ${at} of ${plan.ticks.length}, ${backlog} pieces of work waiting`);
  }
  await Promise.all([bookingService.done(), owners.done(), forger.done(), injector.done()]);
  await standing.end();
  return { ledger, bookingService, owners, forger, injector, standing };
}

function playTick(
  tick: PlannedTick,
  desks: readonly Desk[],
  { bookingService, owners, forger, injector }: Pick<Played, 'bookingService' | 'owners' | 'forger' | 'injector'>,
): void {
  for (const fault of tick.faults) injector.inject(fault);
  bookingService.handIn(tick.intents);
  owners.act(tick.ownerActs);
  forger.send(Array.from({ length: tick.forgeries }, (_, at) => desks[at % desks.length] as Desk));
}

async function untilBacklogIsShort({ sql }: Stage, atMost: number): Promise<number> {
  for (;;) {
    const unfinished = await askUnfinished(sql);
    if (unfinished !== null && unfinished <= atMost) return unfinished;
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Null while the database is away. */
async function askUnfinished(sql: Stage['sql']): Promise<number | null> {
  try {
    const [row] = await sql<{ unfinished: number }[]>`SELECT ${countUnfinished(sql)} AS unfinished`;
    return row?.unfinished ?? 0;
  } catch {
    return null;
  }
}

/** @returns milliseconds until everything was up to date; null when it never was. */
async function untilConverged(
  stage: Stage,
  ledger: Ledger,
  { isExpected, onProgress }: { readonly isExpected: boolean } & Pick<ChaosOptions, 'onProgress'>,
): Promise<number | null> {
  const from = performance.now();
  let isSlow = false;
  const until = from + (isExpected ? GIVEN_UP_AFTER_MS : CONVERGED_WITHIN_MS);
  while (performance.now() < until) {
    const isDone = (await areAllTakenIn(stage, ledger)) && (await askUnfinished(stage.sql)) === 0;
    const { pending } = await stage.sandbox.order<{ pending: number }>('GET', '/notifications?limit=0');
    if (isDone && pending === 0 && (await askUnfinished(stage.sql)) === 0) return Math.round(performance.now() - from);
    if (!isSlow && performance.now() > from + SLOW_MS) {
      isSlow = true;
      for (const line of await describeUnfinished(stage.sql, pending)) onProgress?.(line);
    }
    await sleep(100);
  }
  return null;
}

async function describeUnfinished(sql: Stage['sql'], pending: number): Promise<string[]> {
  const unfinished = await listUnfinished(sql).catch(() => []);
  return [
    `still waiting for ${pending} notifications and ${unfinished.length} pieces of work:`,
    ...unfinished.slice(0, SHOWN_UNFINISHED).map(({ subject, what }) => `  ${subject}: ${what}`),
  ];
}

async function areAllTakenIn({ sql }: Stage, ledger: Ledger): Promise<boolean> {
  try {
    const [row] = await sql<{ versions: number }[]>`
      SELECT coalesce(sum(version), 0)::float8 AS versions FROM booking_intents`;
    return row?.versions === ledger.bookings.reduce((sum, { versions }) => sum + (versions.at(-1)?.version ?? 0), 0);
  } catch {
    return false;
  }
}

function toSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
