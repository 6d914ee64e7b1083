import type { Database } from '@bookiji/db';
import type { FlagBoard, FlagCeiling } from '@bookiji/flags';
import type { Logger, Metrics } from '@bookiji/observability';
import type { QueueSystem } from '@bookiji/queues';
import type { ReadinessCheck } from '@bookiji/runtime';
import type { Login } from './access/login.ts';
import type { Throttle } from './access/throttle.ts';
import type { LagWindow } from './fleet/lag-window.ts';

export interface OpsDeps {
  readonly db: Database;
  readonly flags: FlagBoard;
  /** What this process's environment allows at most. */
  readonly ceiling: FlagCeiling;
  readonly queues: QueueSystem;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly login: Login;
  readonly throttle: Throttle;
  readonly lagWindow: LagWindow;
  readonly readiness: readonly ReadinessCheck[];
  readonly isSecure: boolean;
  /** The whole process only looks, whatever the token. */
  readonly isReadOnly: boolean;
  /** `RECONCILE_INTERVAL_SECONDS`: a connection that was not looked at for three of them is behind. */
  readonly reconcileSeconds: number;
  readonly now: () => Date;
}
