import type { ErrorKind } from '../contract/index.ts';

/**
 * What Google's words for a refusal mean to us, where the status alone does not say it: 403 stands for limits, for
 * missing rights and for a grant that is too small, and 400 and 401 also speak about channels.
 *
 * A 403 with a word in no list is unknown on purpose: it shows up as `unknown_403` until somebody gives it its place.
 * Sources: developers.google.com/workspace/calendar/api/guides/errors and /quota, cloud.google.com/apis/design/errors,
 * developers.google.com/workspace/calendar/api/guides/push and guides/sync.
 */
export const REASONS_BY_KIND: Readonly<Partial<Record<ErrorKind, readonly string[]>>> = {
  rate_limited: [
    'rateLimitExceeded',
    'userRateLimitExceeded',
    // "Calendar usage limits exceeded": against abuse, and lasting longer than the others.
    'quotaExceeded',
    'dailyLimitExceeded',
    'limitExceeded',
    'concurrentLimitExceeded',
    'servingLimitExceeded',
    'variableTermLimitExceeded',
    'calendarUsageLimitsExceeded',
    'RATE_LIMIT_EXCEEDED',
    'RESOURCE_EXHAUSTED',
  ],
  // The person unticked a scope on the consent screen, or took it back: only connecting again helps.
  auth_revoked: ['insufficientPermissions', 'insufficientScopes', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
  conflict: ['duplicate', 'conflict', 'conditionNotMet', 'channelIdNotUnique'],
  // The API is switched off in our own project: ours to mend, and no booking is given up for it.
  transient: ['accessNotConfigured', 'SERVICE_DISABLED'],
  permanent: [
    'forbidden',
    'forbiddenForNonOrganizer',
    'forbiddenForServiceAccounts',
    'requiredAccessLevel',
    'calendarNotWritable',
    'notACalendarUser',
    'accountDisabled',
    'domainPolicy',
    'cannotChangeOrganizer',
    'eventTypeRestriction',
    // Calendars that Google generates (holidays, birthdays) cannot be watched; they are polled.
    'pushNotSupportedForRequestedResource',
    'push.webhookUrlUnauthorized',
    'push.webhookUrlNotHttps',
    'push.channelTypeNotSupported',
  ],
};

const KIND_BY_REASON = new Map<string, ErrorKind>(
  (Object.entries(REASONS_BY_KIND) as [ErrorKind, readonly string[]][]).flatMap(([kind, reasons]) =>
    reasons.map((reason) => [reason, kind] as const),
  ),
);

export interface KnownReason {
  readonly reason: string;
  readonly kind: ErrorKind;
}

/** @returns the first of the words that has a place in the lists. */
export function findKnownReason(reasons: readonly string[]): KnownReason | null {
  for (const reason of reasons) {
    const kind = KIND_BY_REASON.get(reason);
    if (kind !== undefined) return { reason, kind };
  }
  return null;
}
