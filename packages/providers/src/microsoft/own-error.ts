import { type OwnErrorFacts, ownError as ownErrorOf, type ProviderError } from '../contract/index.ts';

/** A failure that the adapter itself finds, with nothing left to classify and nothing done that is not known. */
export function ownError(facts: Omit<OwnErrorFacts, 'calendarProvider'>): ProviderError {
  return ownErrorOf({ ...facts, calendarProvider: 'microsoft' });
}
