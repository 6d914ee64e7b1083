import type { Database } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import type { Logger, Metrics } from '@bookiji/observability';
import type { CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import type { QueueSystem } from '@bookiji/queues';
import type { ReadinessCheck } from '@bookiji/runtime';
import type { SealingKey } from '@bookiji/sync';
import type { Intake } from './intake.ts';
import type { RateLimits } from './rate-limits.ts';

/** What the routes work with. */
export interface IngressDeps {
  readonly db: Database;
  readonly flags: FlagBoard;
  readonly queues: QueueSystem;
  readonly intake: Intake;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly readiness: readonly ReadinessCheck[];
  readonly oauth: Readonly<Record<CalendarProvider, OAuthPort>>;
  readonly keys: readonly SealingKey[];
  readonly channelSecrets: readonly string[];
  readonly apiTokens: readonly string[];
  readonly limits: RateLimits;
  readonly publicBaseUrl: string;
  /** Relay mode where set: the signature is required. */
  readonly signingSecrets: Readonly<Record<CalendarProvider, readonly string[] | null>>;
  /** Evidence of availability is accepted up to this age unless the caller says otherwise, seconds. */
  readonly defaultMaxAgeSeconds: number;
  readonly now: () => Date;
}
