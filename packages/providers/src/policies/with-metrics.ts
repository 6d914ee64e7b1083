import { type CalendarProvider, type ErrorKind, type Operation, ProviderError } from '../contract/index.ts';
import type { Policy } from './policy.ts';
import { systemTimers, type Timers } from './timers.ts';

/** One request, for metrics and logs: nothing in it names a connection, a calendar or a person. */
export interface CallReport {
  readonly calendarProvider: CalendarProvider;
  readonly operation: Operation;
  /** `internal`: it failed on our side of the port, before the provider was asked. */
  readonly outcome: 'ok' | ErrorKind | 'internal';
  /** The provider's word or ours; null when it went well. */
  readonly reason: string | null;
  /** An answer that no table knows: it wants a name. */
  readonly isUnknown: boolean;
  readonly durationSeconds: number;
}

/** Reports each request that passes, however it ends. */
export function withMetrics(onCall: (report: CallReport) => void, timers: Timers = systemTimers): Policy {
  return async ({ calendarProvider, operation, signal }, next) => {
    const startedAt = timers.now();
    const report = (outcome: CallReport['outcome'], reason: string | null) =>
      onCall({
        calendarProvider,
        operation,
        outcome,
        reason,
        isUnknown: reason?.startsWith('unknown_') === true,
        durationSeconds: (timers.now() - startedAt) / 1_000,
      });
    try {
      const answer = await next(signal);
      report('ok', null);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError) report(error.kind, error.reason);
      else report('internal', null);
      throw error;
    }
  };
}
