/** One point, one strike: arm it, make the product pass it, see that it was hit, and wait until all is well again. */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '@bookiji/local-fleet';
import type { Ledger } from '../audit/ledger.ts';
import type { Member } from '../stage/crew.ts';
import type { Stage } from '../stage/open-stage.ts';
import type { Desk } from '../workload/connect-calendars.ts';
import type { FailpointCase } from './failpoint-cases.ts';
import type { ProbeReport, Strike } from './protocol.ts';
import { createScenario, type Scenario } from './scenarios.ts';
import { PAST_THE_LEASE_MS } from './short-leases.ts';

export type CaseStrike = 'kill' | 'stop';

export interface CaseOutcome {
  readonly isHit: boolean;
  /** Everything asked for was done in the end. */
  readonly isHealed: boolean;
  /** It was done while the struck process still stood there, or was gone: nobody has to wait for it. */
  readonly isTakenOver: boolean;
  /** From the strike to the newest state, milliseconds. */
  readonly healedAfterMs: number | null;
  readonly trouble: string | null;
}

export interface StrikeContext {
  readonly stage: Stage;
  readonly ledger: Ledger;
  /** Hears the probes' reports of one order. */
  readonly listen: (id: string, hear: (member: Member, report: ProbeReport) => void) => () => void;
}

const ARMED_WITHIN_MS = 20_000;
const TAKEN_OVER_WITHIN_MS = 40_000;
const TRIGGER_AGAIN_MS = 4_000;
const HIT_WITHIN_MS = 60_000;
const HEALED_WITHIN_MS = 45_000;
/** Time enough to see that the provider carried it out, and less than its caller waits. */
const ANSWERED_AFTER_MS = 4_000;
/** How long a call to a calendar provider is waited for in these processes. */
export const CALL_WITHIN_MS = 5_000;

export async function strikeCase(
  context: StrikeContext,
  desk: Desk,
  one: FailpointCase,
  strike: CaseStrike,
): Promise<CaseOutcome> {
  const { stage, ledger } = context;
  const scenario = createScenario(one.scenario, stage, ledger, desk);
  const armed = new Set<Member>();
  const hits: Member[] = [];
  const settled = new Set<Member>();
  /** Which of its lives was struck: another case may end it before it settles. */
  const lives = new Map<Member, number>();
  const id = randomUUID();
  const stopListening = context.listen(id, (member, report) => {
    if (report.what === 'armed') armed.add(member);
    if (report.what === 'hit') {
      hits.push(member);
      lives.set(member, member.starts);
      disarm();
    }
    if (report.what === 'settled') settled.add(member);
  });
  const disarm = () => {
    for (const member of stage.crew.of(one.role)) member.order({ do: 'disarm', id });
  };
  const isSettled = (member: Member) => settled.has(member) || member.starts !== lives.get(member) || !member.isUp;
  const started = { at: 0 };
  try {
    await scenario.prepare();
    const isDuring = one.point.endsWith('.during');
    const match = matchOf(one, scenario, desk);
    const order: ArmOrder = { id, strike: isDuring ? 'tell' : strike, match };
    await arm(context, one, order, armed);
    const before = await lastSequence(stage);
    if (isDuring) await delayAnswer(stage, desk, one.point);
    await pullUntilHit(scenario, () => hits.length > 0);
    started.at = performance.now();
    if (isDuring) await strikeDuring(context, desk, before, hits, strike);
    const isTakenOver = strike === 'kill' || (await supersedeAndWake(scenario, hits, isSettled, isDuring));
    await waitUntil('everything to be done', () => isDone(stage, scenario), HEALED_WITHIN_MS, 100);
    const healedAfterMs = Math.round(performance.now() - started.at);
    return { isHit: true, isHealed: true, isTakenOver, healedAfterMs, trouble: null };
  } catch (error) {
    for (const member of hits) member.signal('SIGCONT');
    const rows = await scenario.describe().catch(() => 'no answer');
    const trouble = `${(error as Error).message}: ${JSON.stringify(rows)}`;
    return { isHit: hits.length > 0, isHealed: false, isTakenOver: false, healedAfterMs: null, trouble };
  } finally {
    stopListening();
    await scenario.clear().catch(() => undefined);
    disarm();
  }
}

/** Calls are told apart by their connection, sweeps by their name, everything else by what it is about. */
function matchOf({ point }: FailpointCase, scenario: Scenario, desk: Desk): string | null {
  if (point.startsWith('takeSweepTurn')) return 'due_bookings';
  if (/^(findDue|takeFromOutbox|call\.refresh)/.test(point)) return null;
  if (/^(call\.|claimRefresh|storeRefreshed)/.test(point)) return desk.connectionId;
  return /^insertRegistering/.test(point) ? desk.connectionId : scenario.match;
}

interface ArmOrder {
  readonly id: string;
  readonly strike: Strike;
  /** See {@link matchOf}. */
  readonly match: string | null;
}

async function arm(
  { stage }: StrikeContext,
  { role, point }: FailpointCase,
  order: ArmOrder,
  armed: ReadonlySet<Member>,
): Promise<void> {
  const real = point.replace('.during', '.before');
  const members = stage.crew.of(role);
  for (const member of members) member.order({ do: 'arm', point: real, ...order });
  // Whoever is busy hears of a booking from its queue before it hears the order, and an event is created only once. One that
  // stands still, or starts, has taken nothing up and hears the order first.
  const isHeard = () => members.every((member) => armed.has(member) || !member.isUp || member.isFrozen);
  await waitUntil('the order to be heard', isHeard, ARMED_WITHIN_MS, 10);
}

async function pullUntilHit(scenario: Scenario, isHit: () => boolean): Promise<void> {
  const until = performance.now() + HIT_WITHIN_MS;
  // Once in any case: a sweep passes its points by itself, before there is anything to be found.
  do {
    if (performance.now() > until) throw new Error('nothing passed the point');
    // A service that waits for its answer may wait for the process that is struck.
    let isPulled = false;
    const trigger = scenario.trigger().finally(() => {
      isPulled = true;
    });
    await Promise.race([trigger, untilTrue(() => isPulled || isHit())]);
    for (let waited = 0; waited < TRIGGER_AGAIN_MS && !isHit(); waited += 20) await sleep(20);
  } while (!isHit());
}

const OPERATIONS: Readonly<Record<string, string>> = {
  createEvent: 'events.insert',
  updateEvent: 'events.patch',
  deleteEvent: 'events.delete',
};

/** The provider does what it was asked at once and answers late. */
async function delayAnswer(stage: Stage, { calendar }: Desk, point: string): Promise<void> {
  const operation = OPERATIONS[point.split('.')[1] ?? ''] ?? '';
  await stage.sandbox.order('POST', '/faults', {
    provider: calendar.calendarProvider,
    user: calendar.email,
    operation,
    times: 1,
    answer_latency_ms: ANSWERED_AFTER_MS,
  });
}

async function strikeDuring(
  { stage }: StrikeContext,
  { calendar }: Desk,
  after: number,
  hits: readonly Member[],
  strike: CaseStrike,
): Promise<void> {
  const isCarriedOut = async () => {
    const { entries } = await stage.sandbox.order<{ entries: { author: string }[] }>(
      'GET',
      `/history?calendar=${encodeURIComponent(calendar.email)}&after=${after}&author=client`,
    );
    return entries.length > 0;
  };
  await waitUntil('the provider to carry it out', isCarriedOut, ANSWERED_AFTER_MS - 100, 20);
  for (const member of hits) member.signal(strike === 'kill' ? 'SIGKILL' : 'SIGSTOP');
}

async function lastSequence(stage: Stage): Promise<number> {
  const answer = await stage.sandbox.order<{ last_sequence: number }>('GET', '/history?limit=0');
  return answer.last_sequence;
}

/** @returns whether the newest state was reached while the stopped process stood still. */
async function supersedeAndWake(
  scenario: Scenario,
  hits: readonly Member[],
  isSettled: (member: Member) => boolean,
  isDuring: boolean,
): Promise<boolean> {
  const stoppedAt = performance.now();
  await scenario.supersede();
  await sleep(Math.max(0, PAST_THE_LEASE_MS - (performance.now() - stoppedAt)));
  const until = performance.now() + TAKEN_OVER_WITHIN_MS;
  let isTakenOver = await scenario.isDone();
  while (!isTakenOver && performance.now() < until) {
    await sleep(50);
    isTakenOver = await scenario.isDone();
  }
  for (const member of hits) member.signal('SIGCONT');
  if (isDuring) return isTakenOver;
  await waitUntil('the woken process to end what it was at', () => hits.every(isSettled), 40_000);
  return isTakenOver;
}

async function isDone({ sql }: Stage, scenario: Scenario): Promise<boolean> {
  try {
    return await scenario.isDone();
  } catch {
    // The database may be away for a moment.
    await sql`SELECT 1`.catch(() => undefined);
    return false;
  }
}

async function untilTrue(ask: () => boolean): Promise<void> {
  while (!ask()) await sleep(20);
}
