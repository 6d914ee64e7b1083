import type { ErrorKind } from '../contract/index.ts';

/**
 * What Graph calls its failures, by what they mean to us. Codes are compared without regard to case, since the same one
 * is seen as `syncStateNotFound` and `SyncStateNotFound`; the spelling here is the one that becomes the `reason`.
 *
 * A code in no list is unknown on purpose: it shows up as `unknown_<status>` until somebody gives it its place here.
 * Sources: learn.microsoft.com/graph/errors, and the Exchange response codes that Outlook passes through.
 */
export const CODES_BY_KIND: Readonly<Record<ErrorKind, readonly string[]>> = {
  auth_revoked: ['InvalidAuthenticationToken', 'AuthenticationError', 'unauthenticated', 'TokenNotFound'],
  rate_limited: [
    // The mailbox's limit of four calls at a time; seen with 429 and with 503.
    'ApplicationThrottled',
    'TooManyRequests',
    'activityLimitReached',
    'throttledRequest',
    'ErrorServerBusy',
    'ErrorExceededFindCountLimit',
    'ErrorExceededConnectionCount',
    'ErrorTooManyObjectsOpened',
  ],
  cursor_expired: [
    'syncStateNotFound',
    'syncStateInvalid',
    'resyncRequired',
    'resyncChangesApplyDifferences',
    'resyncChangesUploadDifferences',
    'ErrorInvalidSyncStateData',
  ],
  not_found: [
    'ErrorItemNotFound',
    'itemNotFound',
    'ResourceNotFound',
    'Request_ResourceNotFound',
    'NotFound',
    'ErrorFolderNotFound',
    'ErrorCalendarNotFound',
    'ErrorParentFolderNotFound',
  ],
  conflict: [
    'ErrorIrresolvableConflict',
    'ErrorDuplicateTransactionId',
    'ErrorStaleObject',
    'ErrorInvalidChangeKey',
    'ErrorChangeKeyRequired',
    'PreconditionFailed',
    'resourceModified',
    'nameAlreadyExists',
    'Conflict',
  ],
  transient: [
    'serviceNotAvailable',
    'ServiceUnavailable',
    'generalException',
    'InternalServerError',
    'ErrorInternalServerError',
    'ErrorInternalServerTransientError',
    'ErrorMailboxStoreUnavailable',
    'ErrorMailboxMoveInProgress',
    'ErrorTimeoutExpired',
    'ErrorBatchProcessingStopped',
    'ConcurrentItemSave',
    'MailboxInfoStale',
    'GatewayTimeout',
  ],
  permanent: [
    'ErrorAccessDenied',
    'accessDenied',
    'Authorization_RequestDenied',
    'Forbidden',
    'MailboxNotEnabledForRESTAPI',
    'MailboxNotSupportedForRESTAPI',
    'ErrorNonExistentMailbox',
    'ErrorQuotaExceeded',
    'quotaLimitReached',
    'ErrorOccurrenceCrossingBoundary',
    'ErrorTimeIntervalTooBig',
    'ErrorCalendarDurationIsTooLong',
    'ErrorCalendarEndDateIsEarlierThanStartDate',
    'ErrorPropertyValidationFailure',
    'ErrorInvalidProperty',
    'ErrorInvalidPropertyRequest',
    'ErrorInvalidParameter',
    'ErrorInvalidArgument',
    'ErrorInvalidRequest',
    'ErrorInvalidIdMalformed',
    'ErrorInvalidIdEmpty',
    'ErrorInvalidUrlQuery',
    'ErrorInvalidTimeZone',
    'TimeZoneNotSupportedException',
    'UnableToDeserializePostBody',
    'RequestBodyRead',
    'RequestBroker--ParseUri',
    'BadRequest',
    'invalidRequest',
    'ValidationError',
    // "Subscription expiration can only be N minutes in the future", and the like.
    'ExtensionError',
    'notSupported',
    'notImplemented',
    'methodNotAllowed',
  ],
};

export interface KnownCode {
  readonly reason: string;
  readonly kind: ErrorKind;
}

const KNOWN = new Map<string, KnownCode>(
  (Object.entries(CODES_BY_KIND) as [ErrorKind, readonly string[]][]).flatMap(([kind, codes]) =>
    codes.map((reason) => [reason.toLowerCase(), { reason, kind }] as const),
  ),
);

/** @param codes as the answer nests them, outermost first. @returns the innermost one that has a place in the lists. */
export function findKnownCode(codes: readonly string[]): KnownCode | null {
  for (const code of [...codes].reverse()) {
    const known = KNOWN.get(code.toLowerCase());
    if (known !== undefined) return known;
  }
  return null;
}
