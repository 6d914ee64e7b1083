import { describe, expect, test } from '@jest/globals';
import { describeRecorded, readFixture, readManifest } from '../../test/google/fixtures.ts';
import { ERROR_KINDS, type Operation } from '../contract/index.ts';
import { classifyError, type GoogleFailure } from './classify-error.ts';
import { REASONS_BY_KIND } from './error-reasons.ts';
import { readErrorBody } from './read-failure.ts';

const now = new Date('2026-11-20T09:00:00Z');
const failure = (over: Partial<GoogleFailure>): GoogleFailure => ({
  operation: 'list_changes',
  status: 500,
  reasons: [],
  location: null,
  isGoogles: true,
  retryAfter: null,
  requestId: null,
  reason: null,
  wasSent: true,
  ...over,
});
const classify = (over: Partial<GoogleFailure>) => classifyError(failure(over), now);

/** Every status and reason that Google documents, or was seen to send, and the one name it has here. */
const TABLE: readonly [number, string | null, Operation, string, string][] = [
  [400, 'timeRangeEmpty', 'list_changes', 'permanent', 'timeRangeEmpty'],
  [400, 'invalid', 'create_event', 'permanent', 'invalid'],
  [400, 'required', 'update_event', 'permanent', 'required'],
  [400, 'parseError', 'create_event', 'permanent', 'parseError'],
  [400, 'badRequest', 'get_event', 'permanent', 'badRequest'],
  [400, null, 'create_event', 'permanent', 'http_400'],
  [400, 'pushNotSupportedForRequestedResource', 'open_channel', 'permanent', 'pushNotSupportedForRequestedResource'],
  [400, 'push.webhookUrlNotHttps', 'open_channel', 'permanent', 'push.webhookUrlNotHttps'],
  [400, 'channelIdNotUnique', 'open_channel', 'conflict', 'channelIdNotUnique'],
  [401, 'authError', 'list_changes', 'auth_revoked', 'authError'],
  [401, 'required', 'create_event', 'auth_revoked', 'required'],
  [401, null, 'get_event', 'auth_revoked', 'authError'],
  [401, 'push.webhookUrlUnauthorized', 'open_channel', 'permanent', 'push.webhookUrlUnauthorized'],
  [403, 'rateLimitExceeded', 'list_changes', 'rate_limited', 'rateLimitExceeded'],
  [403, 'userRateLimitExceeded', 'create_event', 'rate_limited', 'userRateLimitExceeded'],
  [403, 'quotaExceeded', 'create_event', 'rate_limited', 'quotaExceeded'],
  [403, 'dailyLimitExceeded', 'list_changes', 'rate_limited', 'dailyLimitExceeded'],
  [403, 'RATE_LIMIT_EXCEEDED', 'list_changes', 'rate_limited', 'RATE_LIMIT_EXCEEDED'],
  [403, 'insufficientPermissions', 'list_changes', 'auth_revoked', 'insufficientPermissions'],
  [403, 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'create_event', 'auth_revoked', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT'],
  [403, 'forbidden', 'update_event', 'permanent', 'forbidden'],
  [403, 'forbiddenForNonOrganizer', 'update_event', 'permanent', 'forbiddenForNonOrganizer'],
  [403, 'requiredAccessLevel', 'create_event', 'permanent', 'requiredAccessLevel'],
  [403, 'accessNotConfigured', 'create_event', 'transient', 'accessNotConfigured'],
  [403, 'notACalendarUser', 'list_changes', 'permanent', 'notACalendarUser'],
  [403, 'limitExceeded', 'create_event', 'rate_limited', 'limitExceeded'],
  [403, 'concurrentLimitExceeded', 'create_event', 'rate_limited', 'concurrentLimitExceeded'],
  [403, 'servingLimitExceeded', 'list_changes', 'rate_limited', 'servingLimitExceeded'],
  [403, 'variableTermLimitExceeded', 'list_changes', 'rate_limited', 'variableTermLimitExceeded'],
  [403, 'calendarUsageLimitsExceeded', 'create_event', 'rate_limited', 'calendarUsageLimitsExceeded'],
  [403, 'RESOURCE_EXHAUSTED', 'list_changes', 'rate_limited', 'RESOURCE_EXHAUSTED'],
  [403, 'insufficientScopes', 'list_changes', 'auth_revoked', 'insufficientScopes'],
  [403, 'forbiddenForServiceAccounts', 'create_event', 'permanent', 'forbiddenForServiceAccounts'],
  [403, 'forbidden', 'delete_event', 'permanent', 'forbidden'],
  [403, 'calendarNotWritable', 'create_event', 'permanent', 'calendarNotWritable'],
  [403, 'SERVICE_DISABLED', 'list_changes', 'transient', 'SERVICE_DISABLED'],
  [403, 'accountDisabled', 'list_changes', 'permanent', 'accountDisabled'],
  [403, 'domainPolicy', 'list_changes', 'permanent', 'domainPolicy'],
  [400, 'cannotChangeOrganizer', 'update_event', 'permanent', 'cannotChangeOrganizer'],
  [400, 'eventTypeRestriction', 'update_event', 'permanent', 'eventTypeRestriction'],
  [400, 'push.channelTypeNotSupported', 'open_channel', 'permanent', 'push.channelTypeNotSupported'],
  [403, 'neverHeardOf', 'list_changes', 'transient', 'unknown_403'],
  [403, null, 'list_changes', 'transient', 'unknown_403'],
  [404, 'notFound', 'get_event', 'not_found', 'notFound'],
  [404, 'notFound', 'list_changes', 'not_found', 'notFound'],
  [404, 'notFound', 'close_channel', 'not_found', 'notFound'],
  [405, null, 'create_event', 'permanent', 'http_405'],
  [408, null, 'get_event', 'transient', 'http_408'],
  [409, 'duplicate', 'create_event', 'conflict', 'duplicate'],
  [409, 'conflict', 'update_event', 'conflict', 'conflict'],
  [410, 'fullSyncRequired', 'list_changes', 'cursor_expired', 'fullSyncRequired'],
  [410, 'updatedMinTooLongAgo', 'list_changes', 'cursor_expired', 'updatedMinTooLongAgo'],
  [410, 'deleted', 'delete_event', 'not_found', 'deleted'],
  [410, 'deleted', 'update_event', 'not_found', 'deleted'],
  [410, null, 'get_event', 'not_found', 'deleted'],
  [412, 'conditionNotMet', 'update_event', 'conflict', 'conditionNotMet'],
  [412, 'conditionNotMet', 'delete_event', 'conflict', 'conditionNotMet'],
  [413, null, 'create_event', 'permanent', 'http_413'],
  [418, null, 'get_event', 'transient', 'unknown_418'],
  [429, 'rateLimitExceeded', 'list_changes', 'rate_limited', 'rateLimitExceeded'],
  [429, null, 'create_event', 'rate_limited', 'rateLimitExceeded'],
  [500, 'backendError', 'create_event', 'transient', 'backendError'],
  [500, null, 'list_changes', 'transient', 'http_500'],
  [501, null, 'list_changes', 'permanent', 'http_501'],
  [502, null, 'list_changes', 'transient', 'http_502'],
  [503, 'backendError', 'list_changes', 'transient', 'backendError'],
  [504, null, 'list_changes', 'transient', 'http_504'],
  [599, null, 'list_changes', 'transient', 'unknown_599'],
  [302, null, 'list_changes', 'transient', 'unknown_302'],
];

describe('[R-1] every answer has one name', () => {
  test.each(TABLE)('%p %p to %s is %s', (status, reason, operation, kind, name) => {
    const facts = classify({ status, reasons: reason === null ? [] : [reason], operation });
    expect([facts.kind, facts.reason, facts.status]).toEqual([kind, name, status]);
  });

  test('and every kind is the name of something', () => {
    expect(new Set(TABLE.map(([, , , kind]) => kind))).toEqual(new Set(ERROR_KINDS));
  });

  test('and every word that is known here stands in one list and in the table', () => {
    const words = Object.values(REASONS_BY_KIND).flat();
    expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
    const inTable = new Set(TABLE.map(([, reason]) => reason));
    expect(words.filter((word) => !inTable.has(word))).toEqual([]);
  });

  test('a known word counts wherever it stands in the list', () => {
    expect(classify({ status: 403, reasons: ['neverHeardOf', 'rateLimitExceeded'] }).kind).toBe('rate_limited');
  });
});

describe('[I-1] a place in the feed that Google cannot read', () => {
  test('is lost when it is the sync token', () => {
    const facts = classify({ status: 400, reasons: ['invalid'], location: 'syncToken' });
    expect([facts.kind, facts.reason]).toEqual(['cursor_expired', 'invalidSyncToken']);
  });

  test('is only this round’s when it is the page', () => {
    const facts = classify({ status: 400, reasons: ['invalid'], location: 'pageToken' });
    expect([facts.kind, facts.reason]).toEqual(['transient', 'invalidPageToken']);
  });

  test('means nothing outside the feed', () => {
    expect(classify({ status: 400, operation: 'create_event', location: 'syncToken' }).kind).toBe('permanent');
  });
});

describe('absence needs Google’s own word', () => {
  test.each([[404], [410]])('%p from a proxy proves nothing', (status) => {
    const facts = classify({ status, operation: 'get_event', isGoogles: false });
    expect([facts.kind, facts.reason]).toEqual(['transient', `unknown_${status}`]);
  });
});

describe('[O-3] whether a write may have happened', () => {
  test.each([
    ['a create without an answer', { operation: 'create_event', status: null, reason: 'timeout' }, true],
    [
      'a create that never left',
      { operation: 'create_event', status: null, reason: 'connection_refused', wasSent: false },
      false,
    ],
    ['an update answered with 503', { operation: 'update_event', status: 503 }, true],
    ['a delete answered with 408', { operation: 'delete_event', status: 408 }, true],
    ['a channel without an answer', { operation: 'open_channel', status: null, reason: 'connection_reset' }, true],
    [
      'a create whose success is unreadable',
      { operation: 'create_event', status: 200, reason: 'unreadable_answer' },
      true,
    ],
    ['a create that met a limit', { operation: 'create_event', status: 429 }, false],
    ['a create that was refused', { operation: 'create_event', status: 400 }, false],
    ['a create with a refused token', { operation: 'create_event', status: 401 }, false],
    ['an update with an unknown refusal', { operation: 'update_event', status: 403 }, false],
    ['a read without an answer', { operation: 'get_event', status: null, reason: 'timeout' }, false],
  ] as const)('%s: %p', (_, over, outcomeUnknown) => {
    expect(classify(over).outcomeUnknown).toBe(outcomeUnknown);
  });
});

describe('[R-1] how long to wait', () => {
  test.each([
    ['30', 30_000],
    ['Fri, 20 Nov 2026 09:02:00 GMT', 120_000],
    ['Fri, 20 Nov 2026 08:00:00 GMT', 0],
    ['soon', null],
    [null, null],
  ])('Retry-After %p is %p ms', (retryAfter, ms) => {
    expect(classify({ status: 429, retryAfter }).retryAfterMs).toBe(ms);
    expect(classify({ status: 503, retryAfter }).retryAfterMs).toBe(ms);
  });

  test('is no question where waiting does not help', () => {
    expect(classify({ status: 404, retryAfter: '30' }).retryAfterMs).toBeNull();
  });
});

describeRecorded('recorded refusals', () => {
  const recorded = readManifest().filter(({ kind }) => kind === 'error');
  const expected: Record<string, [Operation, string, string]> = {
    'error-401-authError.json': ['list_changes', 'auth_revoked', 'authError'],
    'error-403-rateLimitExceeded.json': ['list_changes', 'rate_limited', 'rateLimitExceeded'],
    'error-403-userRateLimitExceeded.json': ['create_event', 'rate_limited', 'userRateLimitExceeded'],
    'error-404-notFound.json': ['get_event', 'not_found', 'notFound'],
    'error-409-duplicate.json': ['create_event', 'conflict', 'duplicate'],
    'error-410-fullSyncRequired.json': ['list_changes', 'cursor_expired', 'fullSyncRequired'],
    'error-412-conditionNotMet.json': ['update_event', 'conflict', 'conditionNotMet'],
    'error-500-backendError.json': ['list_changes', 'transient', 'backendError'],
  };

  test('[R-1] are all named here', () => {
    expect(recorded.map(({ file }) => file).sort()).toEqual(Object.keys(expected).sort());
  });

  test.each(recorded.map(({ file, httpStatus }) => [file, httpStatus] as const))('[R-1] %s', (file, status) => {
    const [operation, kind, reason] = expected[file] ?? ['list_changes', 'missing', 'missing'];
    const facts = classify({ operation, status, ...readErrorBody(readFixture(file)) });
    expect([facts.kind, facts.reason]).toEqual([kind, reason]);
  });
});
