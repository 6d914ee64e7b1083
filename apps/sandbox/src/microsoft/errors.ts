/** Graph's error bodies: clients act on the innermost `code` they know. learn.microsoft.com/graph/errors. */
import { randomUUID } from 'node:crypto';
import { type Answer, Refusal } from '../answer.ts';

export function graphError(status: number, code: string, message: string): Answer {
  const requestId = randomUUID();
  const date = new Date().toISOString().slice(0, 19);
  return {
    status,
    json: {
      error: { code, message, innerError: { date, 'request-id': requestId, 'client-request-id': requestId } },
    },
    headers: { 'request-id': requestId, 'client-request-id': requestId },
  };
}

export function refuse(status: number, code: string, message: string): Refusal {
  return new Refusal(graphError(status, code, message));
}

export function tooMany(message: string, retryAfterSeconds: number): Refusal {
  const answer = graphError(429, 'ApplicationThrottled', message);
  return new Refusal({ ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } });
}

export const itemNotFound = () => refuse(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

export const accessDenied = () =>
  refuse(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');

export const invalidProperty = (message: string) => refuse(400, 'ErrorPropertyValidationFailure', message);

export const invalidQuery = (message: string) => refuse(400, 'ErrorInvalidUrlQuery', message);

/** A stale `If-Match`. */
export const staleChangeKey = () =>
  refuse(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  );

/** Seen with 410 when the token is no longer good. */
export const syncStateNotFound = () => refuse(410, 'syncStateNotFound', 'The sync state generation is not found.');

/** Codes by status, for faults that name none. */
const USUAL: Readonly<Record<number, readonly [code: string, message: string]>> = {
  400: ['ErrorInvalidRequest', 'The request is invalid.'],
  401: ['InvalidAuthenticationToken', 'Access token has expired or is not yet valid.'],
  403: ['ErrorAccessDenied', 'Access is denied. Check credentials and try again.'],
  404: ['ErrorItemNotFound', 'The specified object was not found in the store.'],
  409: ['Conflict', 'The request conflicts with the current state.'],
  410: ['syncStateNotFound', 'The sync state generation is not found.'],
  412: ['ErrorIrresolvableConflict', 'The change key passed in the request does not match the current change key.'],
  429: ['ApplicationThrottled', 'Application is over its request limit.'],
  500: ['InternalServerError', 'An internal server error occurred.'],
  503: [
    'serviceNotAvailable',
    'The service is temporarily unavailable or overloaded. Repeat the request after a delay.',
  ],
  504: ['GatewayTimeout', 'The gateway did not receive a timely response.'],
};

export function usualError(status: number, code?: string): Answer {
  const [usualCode, message] = USUAL[status] ?? ['generalException', 'An unspecified error has occurred.'];
  return graphError(status, code ?? usualCode, message);
}
