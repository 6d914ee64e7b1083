import { describe, expect, test } from '@jest/globals';
import { describeRecorded, readFixture, readManifest } from '../../test/microsoft/fixtures.ts';
import { ERROR_KINDS, type ErrorKind, type Operation } from '../contract/index.ts';
import { classifyError, type GraphFailure } from './classify-error.ts';
import { CODES_BY_KIND } from './error-codes.ts';
import { readErrorBody } from './read-failure.ts';

const NOW = new Date('2026-11-20T09:00:00Z');

function failure(status: number | null, codes: string[] = [], changes: Partial<GraphFailure> = {}): GraphFailure {
  const nothing = { retryAfter: null, requestId: null, followedLink: false, reason: null, wasSent: true };
  return { operation: 'get_event', status, codes, ...nothing, ...changes };
}

type Row = [status: number, code: string | null, operation: Operation, kind: ErrorKind, reason?: string];

const TABLE: Row[] = [
  [401, 'InvalidAuthenticationToken', 'list_changes', 'auth_revoked'],
  [401, 'ErrorAccessDenied', 'get_event', 'auth_revoked'],
  [401, null, 'create_event', 'auth_revoked', 'http_401'],
  [429, 'ApplicationThrottled', 'list_changes', 'rate_limited'],
  [429, 'TooManyRequests', 'create_event', 'rate_limited'],
  [429, null, 'open_channel', 'rate_limited', 'http_429'],
  [429, 'ErrorItemNotFound', 'get_event', 'rate_limited'],
  [503, 'ApplicationThrottled', 'update_event', 'rate_limited'],
  [503, 'ErrorServerBusy', 'list_changes', 'rate_limited'],
  [500, 'ErrorExceededFindCountLimit', 'find_event', 'rate_limited'],
  [403, 'ErrorTooManyObjectsOpened', 'list_changes', 'rate_limited'],
  [509, null, 'list_changes', 'rate_limited', 'http_509'],
  [410, 'syncStateNotFound', 'list_changes', 'cursor_expired'],
  [410, 'SyncStateNotFound', 'list_changes', 'cursor_expired', 'syncStateNotFound'],
  [400, 'resyncRequired', 'list_changes', 'cursor_expired'],
  [400, 'ErrorInvalidSyncStateData', 'list_changes', 'cursor_expired'],
  [410, null, 'list_changes', 'cursor_expired', 'http_410'],
  [410, null, 'get_event', 'not_found', 'http_410'],
  [410, 'syncStateNotFound', 'get_event', 'transient'],
  [404, 'ErrorItemNotFound', 'get_event', 'not_found'],
  [404, 'ErrorItemNotFound', 'list_changes', 'not_found'],
  [404, 'Request_ResourceNotFound', 'renew_channel', 'not_found'],
  [404, 'ErrorFromTomorrow', 'delete_event', 'not_found', 'http_404'],
  [404, 'MailboxNotEnabledForRESTAPI', 'list_changes', 'permanent'],
  [412, 'ErrorIrresolvableConflict', 'update_event', 'conflict'],
  [412, null, 'delete_event', 'conflict', 'http_412'],
  [409, 'ErrorDuplicateTransactionId', 'create_event', 'conflict'],
  [400, 'ErrorDuplicateTransactionId', 'create_event', 'conflict'],
  [409, null, 'open_channel', 'conflict', 'http_409'],
  [403, 'ErrorAccessDenied', 'list_changes', 'permanent'],
  [403, 'Authorization_RequestDenied', 'open_channel', 'permanent'],
  [400, 'ErrorOccurrenceCrossingBoundary', 'update_event', 'permanent'],
  [400, 'ErrorTimeIntervalTooBig', 'list_changes', 'permanent'],
  [400, 'ExtensionError', 'open_channel', 'permanent'],
  [400, 'InvalidRequest', 'create_event', 'permanent', 'invalidRequest'],
  [400, 'InvalidRequest', 'open_channel', 'transient', 'invalidRequest'],
  [400, 'ValidationError', 'open_channel', 'transient'],
  [405, null, 'get_event', 'permanent', 'http_405'],
  [503, 'serviceNotAvailable', 'list_changes', 'transient'],
  [503, 'ConcurrentItemSave', 'create_event', 'transient'],
  [500, null, 'create_event', 'transient', 'http_500'],
  [502, null, 'list_changes', 'transient', 'http_502'],
  [504, 'ErrorTimeoutExpired', 'list_changes', 'transient'],
  [403, 'ErrorFromTomorrow', 'get_event', 'transient', 'unknown_403'],
  [400, null, 'create_event', 'transient', 'unknown_400'],
  [418, null, 'list_changes', 'transient', 'unknown_418'],
];

/** The same, of codes that mean one thing whatever was asked. */
const PLAIN: [status: number, kind: ErrorKind, codes: string][] = [
  [401, 'auth_revoked', 'AuthenticationError unauthenticated TokenNotFound'],
  [429, 'rate_limited', 'activityLimitReached throttledRequest ErrorExceededConnectionCount'],
  [404, 'not_found', 'itemNotFound ResourceNotFound NotFound'],
  [404, 'not_found', 'ErrorFolderNotFound ErrorCalendarNotFound ErrorParentFolderNotFound'],
  [409, 'conflict', 'ErrorStaleObject ErrorInvalidChangeKey ErrorChangeKeyRequired nameAlreadyExists Conflict'],
  [412, 'conflict', 'PreconditionFailed resourceModified'],
  [503, 'transient', 'ServiceUnavailable ErrorMailboxStoreUnavailable ErrorMailboxMoveInProgress MailboxInfoStale'],
  [500, 'transient', 'generalException InternalServerError ErrorInternalServerError ErrorBatchProcessingStopped'],
  [500, 'transient', 'ErrorInternalServerTransientError'],
  [504, 'transient', 'GatewayTimeout'],
  [403, 'permanent', 'accessDenied Forbidden ErrorQuotaExceeded quotaLimitReached'],
  [404, 'permanent', 'MailboxNotSupportedForRESTAPI ErrorNonExistentMailbox'],
  [400, 'permanent', 'ErrorCalendarDurationIsTooLong ErrorCalendarEndDateIsEarlierThanStartDate ErrorInvalidProperty'],
  [400, 'permanent', 'ErrorPropertyValidationFailure ErrorInvalidPropertyRequest ErrorInvalidParameter'],
  [400, 'permanent', 'ErrorInvalidArgument ErrorInvalidRequest ErrorInvalidIdMalformed ErrorInvalidIdEmpty'],
  [400, 'permanent', 'ErrorInvalidUrlQuery ErrorInvalidTimeZone TimeZoneNotSupportedException RequestBodyRead'],
  [400, 'permanent', 'UnableToDeserializePostBody RequestBroker--ParseUri BadRequest'],
  [501, 'permanent', 'notSupported notImplemented'],
  [405, 'permanent', 'methodNotAllowed'],
];
for (const [status, kind, codes] of PLAIN) {
  TABLE.push(...codes.split(' ').map((code): Row => [status, code, 'update_event', kind]));
}
for (const code of ['syncStateInvalid', 'resyncChangesApplyDifferences', 'resyncChangesUploadDifferences']) {
  TABLE.push([410, code, 'list_changes', 'cursor_expired']);
}

describe('classifyError', () => {
  const rows = TABLE.map(
    ([status, code, operation, kind, reason]) => [status, code, operation, kind, reason ?? code] as const,
  );

  test('[R-1] knows each code by one kind, and the table has them all', () => {
    const codes = Object.values(CODES_BY_KIND)
      .flat()
      .map((code) => code.toLowerCase());
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([]);
    const inTable = new Set(TABLE.map(([, code]) => code?.toLowerCase()));
    expect(codes.filter((code) => !inTable.has(code))).toEqual([]);
  });

  test.each(rows)('names %i %s of %s %s', (status, code, operation, kind, reason) => {
    const facts = classifyError(failure(status, code === null ? [] : [code], { operation }), NOW);
    expect(facts).toMatchObject({ kind, reason, status, operation, calendarProvider: 'microsoft' });
  });

  test('knows a case of every kind', () => {
    expect(new Set(TABLE.map((row) => row[3]))).toEqual(new Set(ERROR_KINDS));
  });

  test('believes the innermost code it knows', () => {
    expect(classifyError(failure(400, ['BadRequest', 'ErrorItemNotFound', 'NeverHeard']), NOW)).toMatchObject({
      kind: 'not_found',
      reason: 'ErrorItemNotFound',
    });
  });

  test.each([
    [400, 'BadRequest', 'cursor_expired'],
    [400, null, 'cursor_expired'],
    [404, null, 'cursor_expired'],
    [404, 'ErrorItemNotFound', 'not_found'],
    [403, 'ErrorAccessDenied', 'permanent'],
    [429, 'ApplicationThrottled', 'rate_limited'],
  ] as const)('takes %i %s on a link of Graph’s own for %s', (status, code, kind) => {
    const facts = { operation: 'list_changes', followedLink: true } as const;
    expect(classifyError(failure(status, code === null ? [] : [code], facts), NOW).kind).toBe(kind);
  });

  test.each([
    ['create_event', 500, 'x', true, true],
    ['create_event', 503, 'ConcurrentItemSave', true, true],
    ['update_event', 504, 'x', true, true],
    ['delete_event', null, 'x', true, true],
    ['open_channel', null, 'x', true, true],
    ['create_event', 200, 'x', true, true],
    ['create_event', null, 'x', false, false],
    ['create_event', 503, 'ApplicationThrottled', true, false],
    ['create_event', 429, 'x', true, false],
    ['create_event', 409, 'x', true, false],
    ['create_event', 403, 'ErrorFromTomorrow', true, false],
    ['list_changes', null, 'x', true, false],
    ['get_event', 500, 'x', true, false],
  ] as const)(
    '[O-3] of %s with %s %s (sent: %s) the outcome is unknown: %s',
    (operation, status, code, wasSent, unknown) => {
      expect(classifyError(failure(status, [code], { operation, wasSent }), NOW).outcomeUnknown).toBe(unknown);
    },
  );

  test('[R-1] passes on how long to wait only where waiting helps', () => {
    const wait = { retryAfter: '30' };
    expect(classifyError(failure(503, [], wait), NOW).retryAfterMs).toBe(30_000);
    expect(classifyError(failure(429, [], wait), NOW).retryAfterMs).toBe(30_000);
    expect(classifyError(failure(403, ['ErrorAccessDenied'], wait), NOW).retryAfterMs).toBeNull();
  });
});

describe('readErrorBody', () => {
  test.each([
    [undefined, []],
    ['<html>', []],
    [{ error: 'invalid_grant' }, []],
    [{ error: { code: 'A', innerError: { code: 'B', innererror: { code: 'C' } } } }, ['A', 'B', 'C']],
    [{ error: { code: 'a message with names in it', innerError: { code: 'B' } } }, ['B']],
  ])('finds in %j the codes %j', (body, codes) => {
    expect(readErrorBody(body).codes).toEqual(codes);
  });

  test('stops somewhere in a body that nests without end', () => {
    const error: Record<string, unknown> = { code: 'A' };
    error.innerError = error;
    expect(readErrorBody({ error }).codes).toHaveLength(8);
  });
});

describeRecorded('recorded errors', () => {
  const EXPECTED: Record<string, [Operation, ErrorKind, string]> = {
    'error-401-InvalidAuthenticationToken.json': ['list_changes', 'auth_revoked', 'InvalidAuthenticationToken'],
    'error-404-ErrorItemNotFound.json': ['get_event', 'not_found', 'ErrorItemNotFound'],
    'error-410-syncStateNotFound.json': ['list_changes', 'cursor_expired', 'syncStateNotFound'],
    'error-412-ErrorIrresolvableConflict.json': ['update_event', 'conflict', 'ErrorIrresolvableConflict'],
    'error-429-ApplicationThrottled.json': ['create_event', 'rate_limited', 'ApplicationThrottled'],
    'error-503-serviceNotAvailable.json': ['list_changes', 'transient', 'serviceNotAvailable'],
  };
  const entries = readManifest().filter((entry) => entry.kind === 'error');

  test('are all expected here', () => {
    expect(entries.map((entry) => entry.file).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  test.each(entries.map((entry) => [entry.file, entry] as const))('%s has its name', (file, entry) => {
    const [operation, kind, reason] = EXPECTED[file] ?? [];
    const { codes, requestId } = readErrorBody(readFixture(file));
    const retryAfter = entry.headers?.['Retry-After'] ?? null;
    const facts = classifyError(
      failure(entry.httpStatus, [...codes], { ...(operation && { operation }), requestId, retryAfter }),
      NOW,
    );
    expect(facts).toMatchObject({
      kind,
      reason,
      requestId: '6f2c1d34-0000-4000-8000-3b0a7c9d0001',
      retryAfterMs: retryAfter === null ? null : Number(retryAfter) * 1_000,
    });
  });
});
