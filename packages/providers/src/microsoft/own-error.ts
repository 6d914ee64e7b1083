import { ProviderError, type ProviderErrorFacts } from '../contract/index.ts';

/** A failure that the adapter itself finds, with nothing left to classify and nothing done that is not known. */
export function ownError(facts: Pick<ProviderErrorFacts, 'kind' | 'operation' | 'reason' | 'status'>): ProviderError {
  return new ProviderError({
    ...facts,
    calendarProvider: 'microsoft',
    retryAfterMs: null,
    requestId: null,
    outcomeUnknown: false,
  });
}
