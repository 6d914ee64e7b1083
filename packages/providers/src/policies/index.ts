export {
  BREAKER_STATE_VALUES,
  type Breaker,
  type BreakerSettings,
  type BreakerState,
  createBreaker,
  type Leave,
} from './breaker.ts';
export { composeOAuth, composePort, composeRequest } from './compose-port.ts';
export type { SharedBudget } from './leased-bucket.ts';
export { createLimiter, type Limiter, type LimiterSettings } from './limiter.ts';
export type { Policy, ProviderCall } from './policy.ts';
export type { Timers } from './timers.ts';
export type { Lane } from './waiting-line.ts';
export { withBreaker } from './with-breaker.ts';
export { type LimitedConnection, withLimiter } from './with-limiter.ts';
export { type CallReport, withMetrics } from './with-metrics.ts';
export { type SlotDesk, withSlots } from './with-slots.ts';
export { withTimeout } from './with-timeout.ts';
export { withTokenRetry } from './with-token-retry.ts';
