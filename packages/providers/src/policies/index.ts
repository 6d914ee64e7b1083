export { type BudgetOptions, createCallBudget } from './call-budget.ts';
export { type BreakerOptions, type BreakerState, createBreaker } from './with-breaker.ts';
export { type CallReport, withMetrics } from './with-metrics.ts';
export { withTimeout } from './with-timeout.ts';
export { withTokenRetry } from './with-token-retry.ts';
export { type Call, type Policy, wrapPort } from './wrap-port.ts';
