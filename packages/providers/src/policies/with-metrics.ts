import { type CalendarProvider, type ErrorKind, type Operation, ProviderError } from '../contract/index.ts';
import type { Policy } from './wrap-port.ts';

export interface CallReport {
  readonly calendarProvider: CalendarProvider;
  readonly operation: Operation;
  readonly outcome: 'ok' | ErrorKind;
  readonly durationSeconds: number;
  /** The word for an answer that no rule names yet; else null. */
  readonly unknownReason: string | null;
}

/** Reports each call that went out to the provider. */
export function withMetrics(calendarProvider: CalendarProvider, report: (call: CallReport) => void): Policy {
  return async ({ operation, signal }, next) => {
    const startedAt = performance.now();
    const tell = (outcome: 'ok' | ErrorKind, unknownReason: string | null) =>
      report({
        calendarProvider,
        operation,
        outcome,
        unknownReason,
        durationSeconds: (performance.now() - startedAt) / 1000,
      });
    try {
      const answer = await next(signal);
      tell('ok', null);
      return answer;
    } catch (error) {
      if (error instanceof ProviderError) tell(error.kind, error.reason.startsWith('unknown_') ? error.reason : null);
      throw error;
    }
  };
}
