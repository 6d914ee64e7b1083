import { ProviderError, type ProviderErrorFacts } from '../../src/contract/index.ts';
import type { ProviderCall } from '../../src/policies/index.ts';

export const call: ProviderCall = {
  calendarProvider: 'google',
  operation: 'list_changes',
  signal: new AbortController().signal,
};

export function failure(facts: Partial<ProviderErrorFacts> = {}): ProviderError {
  return new ProviderError({
    kind: 'transient',
    calendarProvider: 'google',
    operation: 'list_changes',
    status: 503,
    reason: 'backendError',
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
    ...facts,
  });
}

/** What became of a call: its answer, or kind and reason. */
export async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error instanceof ProviderError ? `${error.kind}/${error.reason}` : error;
  }
}
