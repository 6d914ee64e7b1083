/** Every point times every strike against one running fleet, several at a time, never all processes of a role. */
import type { CalendarProvider } from '@bookiji/local-fleet';
import { waitUntil } from '@bookiji/local-fleet';
import { audit, type Verdict } from '../audit/audit.ts';
import { Ledger } from '../audit/ledger.ts';
import { countUnfinished, readEvidence } from '../audit/read-evidence.ts';
import type { Member } from '../stage/crew.ts';
import { openStage, type Stage, type WorkingRole } from '../stage/open-stage.ts';
import { connectCalendars, type Desk, newProviderIds } from '../workload/connect-calendars.ts';
import { FAILPOINT_CASES, type FailpointCase } from './failpoint-cases.ts';
import type { ProbeReport } from './protocol.ts';
import { type CaseOutcome, type CaseStrike, type StrikeContext, strikeCase } from './strike-case.ts';

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
}

/**
 * The cases of one calendar provider. What passes through the provider's adapter is struck both ways at both providers;
 * everything else is the same code and statement at either, and is struck one way at one and the other way at the other.
 *
 * @param isFull everything both ways at both.
 */
export function listCases(calendarProvider: CalendarProvider, isFull: boolean): NamedCase[] {
  const all = (['stop', 'kill'] as const).flatMap((strike) =>
    FAILPOINT_CASES.map((one, at) => ({ name: caseName(one, strike), one, strike, at })),
  );
  return all.filter(({ one, strike, at }) => {
    if (isFull || one.point.startsWith('call.') || one.scenario === 'cursor_expires') return true;
    return (at % 2 === 0) === ((strike === 'kill') === (calendarProvider === 'google'));
  });
}

function caseName(one: FailpointCase, strike: CaseStrike): string {
  return `${one.fault} ${one.role}, ${one.where} (${one.point}): ${strike === 'kill' ? 'kill -9' : 'SIGSTOP'}`;
}

export async function runFailpoints(
  calendarProvider: CalendarProvider,
  cases: readonly NamedCase[],
): Promise<FailpointRun> {
  const ears = new Map<string, (member: Member, report: ProbeReport) => void>();
  const stage = await openStage({
    size: sizeOf(CREW),
    isProbed: true,
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
    const desks = await connectCalendars(
      stage,
      calendarProvider,
      newProviderIds(roles.reduce((sum, role) => sum + CREW[role].struck, 0)),
    );
    await Promise.all(
      roles.map((role) =>
        strikeRole(
          context,
          desks.splice(0, CREW[role].struck),
          cases.filter(({ one }) => one.role === role),
          outcomes,
        ),
      ),
    );
    await untilQuiet(stage);
    return { outcomes, verdict: audit(ledger, await readEvidence(stage.sql, stage.sandbox.url)) };
  } finally {
    await stage.close();
  }
}

const SANDBOX_SETTINGS = {
  google: { max_page_size: 5, user_requests_per_minute: null, project_requests_per_minute: null },
  microsoft: { max_page_size: 5, mailbox_requests_per_10_minutes: null },
  notifications: { timeout_ms: 2_000, retry_base_ms: 100, max_attempts: 12 },
};

/** One calendar serves one case at a time. */
async function strikeRole(
  context: StrikeContext,
  desks: readonly Desk[],
  cases: readonly NamedCase[],
  outcomes: Map<string, CaseOutcome>,
): Promise<void> {
  const waiting = [...cases];
  let isRefreshing = false;
  await Promise.all(
    desks.map(async (desk) => {
      for (;;) {
        // A refresh names no calendar, so two of them at once could not be told apart.
        const at = waiting.findIndex(({ one }) => one.scenario !== 'token_expired' || !isRefreshing);
        const [next] = at < 0 ? [] : waiting.splice(at, 1);
        if (next === undefined) {
          if (waiting.length === 0) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
          continue;
        }
        const isRefresh = next.one.scenario === 'token_expired';
        if (isRefresh) isRefreshing = true;
        outcomes.set(next.name, await strikeCase(context, desk, next.one, next.strike));
        if (isRefresh) isRefreshing = false;
      }
    }),
  );
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
