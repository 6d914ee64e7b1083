/**
 * Google's error bodies: `error.errors[].reason` is what clients act on.
 * See developers.google.com/workspace/calendar/api/guides/errors.
 */
import { type Answer, Refusal } from '../answer.ts';

interface ErrorDetails {
  readonly domain?: string;
  readonly locationType?: string;
  readonly location?: string;
}

export function googleError(status: number, reason: string, message: string, details: ErrorDetails = {}): Answer {
  const { domain = 'global', ...rest } = details;
  return {
    status,
    json: { error: { errors: [{ domain, reason, message, ...rest }], code: status, message } },
    ...(status === 401 ? { headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/"' } } : {}),
  };
}

export function refuse(status: number, reason: string, message: string, details?: ErrorDetails): Refusal {
  return new Refusal(googleError(status, reason, message, details));
}

/** A value that cannot be understood. */
export function invalid(message: string, location?: string): Refusal {
  return refuse(400, 'invalid', message, location === undefined ? {} : { locationType: 'parameter', location });
}

export const notFound = () => refuse(404, 'notFound', 'Not Found');

/** The words for a sync token that is no longer good. */
export const fullSyncRequired = () =>
  refuse(410, 'fullSyncRequired', 'Sync token is no longer valid, a full sync is required.', {
    domain: 'calendar',
    locationType: 'parameter',
    location: 'syncToken',
  });

/** A stale `If-Match`. */
export const conditionNotMet = () =>
  refuse(412, 'conditionNotMet', 'Precondition Failed', { locationType: 'header', location: 'If-Match' });

/** Reasons by status, for faults that name none. */
const USUAL: Readonly<Record<number, readonly [reason: string, message: string, domain?: string]>> = {
  400: ['badRequest', 'Bad Request'],
  401: ['authError', 'Invalid Credentials'],
  403: ['forbidden', 'Forbidden'],
  404: ['notFound', 'Not Found'],
  409: ['conflict', 'Conflict'],
  410: ['fullSyncRequired', 'Sync token is no longer valid, a full sync is required.', 'calendar'],
  412: ['conditionNotMet', 'Precondition Failed'],
  429: ['rateLimitExceeded', 'Rate Limit Exceeded', 'usageLimits'],
  500: ['backendError', 'Backend Error'],
  503: ['backendError', 'Backend Error'],
};

const LIMITS: Readonly<Record<string, string>> = {
  rateLimitExceeded: 'Rate Limit Exceeded',
  userRateLimitExceeded: 'User Rate Limit Exceeded',
  quotaExceeded: 'Calendar usage limits exceeded.',
  dailyLimitExceeded: 'Daily Limit Exceeded',
};

export function usualError(status: number, reason?: string): Answer {
  const [usualReason, usualMessage, usualDomain] = USUAL[status] ?? ['backendError', 'Backend Error'];
  if (reason === undefined || reason === usualReason) {
    return googleError(status, usualReason, usualMessage, usualDomain === undefined ? {} : { domain: usualDomain });
  }
  const limit = LIMITS[reason];
  return limit === undefined
    ? googleError(status, reason, reason)
    : googleError(status, reason, limit, { domain: 'usageLimits' });
}
