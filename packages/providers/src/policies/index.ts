export {
  BREAKER_STATE_VALUES,
  type Breaker,
  type BreakerPermission,
  createBreaker,
} from './breaker.ts';
export { composeOAuth, composePort, composeRequest } from './compose-port.ts';
export { createLimiter, type Limiter } from './limiter.ts';
export type { Policy, ProviderCall } from './policy.ts';
export type { Timers } from './timers.ts';
export type { Lane } from './waiting-line.ts';
export { withBreaker } from './with-breaker.ts';
export { withLimiter } from './with-limiter.ts';
export { type CallReport, withMetrics } from './with-metrics.ts';
export { type SlotDesk, withSlots } from './with-slots.ts';
export { withTimeout } from './with-timeout.ts';
export { withTokenRetry } from './with-token-retry.ts';
