/** Everything the fleet page shows, read at once. */
import {
  type ConnectionCount,
  countConnections,
  countRunsPerMinute,
  type FleetState,
  listProcesses,
  type ReportedProcess,
  type RunMinute,
  readFleetState,
} from '@bookiji/db';
import type { FlagName } from '@bookiji/flags';
import type { OpsDeps } from '../deps.ts';
import { type KillSwitch, listKillSwitches } from '../switches/kill-switches.ts';
import { sumMetrics } from './fleet-metrics.ts';
import type { MetricJson } from './histogram.ts';
import type { Lag, LagName, LagWindow } from './lag-window.ts';
import { readGates } from './read-gates.ts';
import { type QueueGlance, readQueues } from './read-queues.ts';

export const RUN_MINUTES = 60;
export const ROLES = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops'] as const;

export interface BreakerGlance {
  readonly calendarProvider: string;
  readonly role: string;
  readonly state: 'closed' | 'half_open' | 'open';
}

export interface FleetGlance {
  readonly now: Date;
  readonly processes: readonly ReportedProcess[];
  readonly state: FleetState;
  readonly connections: readonly ConnectionCount[];
  readonly queues: readonly QueueGlance[];
  readonly breakers: readonly BreakerGlance[];
  readonly lags: Readonly<Record<LagName, Lag>>;
  readonly runs: readonly RunMinute[];
  readonly flags: Readonly<Record<FlagName, boolean>>;
  readonly switches: readonly KillSwitch[];
}

export async function readGlance(deps: OpsDeps, lagWindow: LagWindow): Promise<FleetGlance> {
  const now = deps.now();
  const [processes, state, connections, queues, runs, switches] = await Promise.all([
    listProcesses(deps.db),
    readFleetState(deps.db, readGates(deps.flags)),
    countConnections(deps.db),
    readQueues(deps.queues),
    countRunsPerMinute(deps.db, RUN_MINUTES),
    listKillSwitches(deps.db),
  ]);
  const metrics = await sumMetrics(processes, []);
  const lag = (name: LagName) => lagWindow.read(name, metrics, now.getTime());
  return {
    now,
    processes,
    state,
    connections,
    queues,
    breakers: readBreakers(processes),
    lags: {
      calendar_change_lag_seconds: lag('calendar_change_lag_seconds'),
      calendar_booking_lag_seconds: lag('calendar_booking_lag_seconds'),
    },
    runs,
    flags: deps.flags.effective(),
    switches,
  };
}

/** One per calendar provider and living process. */
function readBreakers(processes: readonly ReportedProcess[]): BreakerGlance[] {
  return processes
    .filter(({ isAlive }) => isAlive)
    .flatMap(({ role, metrics }) =>
      (metrics as MetricJson[])
        .filter(({ name }) => name === 'calendar_breaker_state')
        .flatMap(({ values }) =>
          values.map(({ labels, value }) => ({
            calendarProvider: String(labels.calendar_provider),
            role,
            state: (['closed', 'half_open', 'open'] as const)[value] ?? 'open',
          })),
        ),
    );
}
