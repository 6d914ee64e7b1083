import { describe, expect, test } from '@jest/globals';
import { judgeEvidence } from './judge-evidence.ts';

const now = new Date('2026-11-21T12:00:00Z');
const fresh = {
  id: 'c',
  status: 'active' as const,
  syncEnabled: true,
  lastSyncedAt: new Date('2026-11-21T11:55:00Z'),
  syncWindowStart: new Date('2026-11-20T12:00:00Z'),
  syncWindowEnd: new Date('2027-02-22T12:00:00Z'),
  backoffUntil: null,
  hasDoubts: false,
};
const span = { startAt: new Date('2026-11-24T09:00:00Z'), endAt: new Date('2026-11-24T17:00:00Z') };
const judge = (over: object, asked = span) => judgeEvidence({ ...fresh, ...over }, asked, 900, now).reason;

describe('[I-3] evidence fails closed', () => {
  test('a connection synced lately, for a slot inside its window, is fresh', () => {
    expect(judge({})).toBe('fresh');
  });

  test.each([
    ['revoked', { status: 'reauth_required' }],
    ['disabled', { status: 'disabled' }],
    ['disabled', { syncEnabled: false }],
    ['never_synced', { lastSyncedAt: null }],
    ['never_synced', { syncWindowEnd: null }],
    ['unreadable', { hasDoubts: true }],
    ['stale', { hasDoubts: true, lastSyncedAt: new Date('2026-11-21T11:44:59Z') }],
    ['stale', { lastSyncedAt: new Date('2026-11-21T11:44:59Z') }],
    ['backing_off', { lastSyncedAt: new Date('2026-11-21T11:44:59Z'), backoffUntil: new Date('2026-11-21T12:05:00Z') }],
  ])('%s: %j', (reason, over) => {
    expect(judge(over)).toBe(reason);
  });

  test('a slot that reaches outside the window is not answered from it', () => {
    expect(judge({}, { startAt: span.startAt, endAt: new Date('2027-02-22T12:00:01Z') })).toBe('outside_window');
    expect(judge({}, { startAt: new Date('2026-11-20T11:59:59Z'), endAt: span.endAt })).toBe('outside_window');
  });
});
