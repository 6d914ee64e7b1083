import { ProviderError, type ProviderErrorFacts } from './errors.ts';

/** What has to be said of a failure of our own, and what may be said where it differs from the usual. */
export type OwnErrorFacts = Pick<ProviderErrorFacts, 'kind' | 'calendarProvider' | 'operation' | 'reason'> &
  Partial<Pick<ProviderErrorFacts, 'status' | 'retryAfterMs' | 'outcomeUnknown'>>;

/**
 * A failure that we find ourselves, with no refusal of the provider's to classify. Unless `facts` say otherwise no answer
 * came, no time to come back is named, and nothing was done that is not known.
 */
export function ownError(facts: OwnErrorFacts): ProviderError {
  return new ProviderError({ status: null, retryAfterMs: null, requestId: null, outcomeUnknown: false, ...facts });
}
