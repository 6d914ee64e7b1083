import type { Connection } from '@bookiji/db';
import { describe, expect, test } from '@jest/globals';
import { judgeConnection } from './judge-connection.ts';

const NOW = new Date('2026-11-24T09:00:00Z');
const secondsFromNow = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);
const healthy = {
  status: 'active',
  statusReason: null,
  syncEnabled: true,
  errorCount: 0,
  lastError: null,
  backoffUntil: null,
  lastSyncedAt: secondsFromNow(-10),
  syncNeeded: false,
} as Connection;
const failed = { kind: 'transient', reason: 'timeout', at: NOW.toISOString() };
const judge = (over: Partial<Connection>, obstacle: 'flag_off' | 'switched_off' | 'not_allowlisted' | null = null) =>
  judgeConnection({ ...healthy, ...over }, { now: NOW, obstacle, reconcileSeconds: 300, hasDoubts: false });

describe('how a connection is', () => {
  const cases: readonly [string, string, Partial<Connection>][] = [
    ['healthy', 'good', {}],
    ['syncing', 'busy', { syncNeeded: true }],
    ['first sync', 'busy', { lastSyncedAt: null, syncNeeded: true }],
    ['behind', 'warn', { lastSyncedAt: secondsFromNow(-901) }],
    ['backing off', 'warn', { errorCount: 2, lastError: failed, backoffUntil: secondsFromNow(60), syncNeeded: true }],
    ['failing', 'warn', { errorCount: 2, lastError: failed, backoffUntil: secondsFromNow(-1), syncNeeded: true }],
    ['needs reconnecting', 'bad', { status: 'reauth_required', errorCount: 1, lastError: failed }],
    ['disabled', 'bad', { status: 'disabled', statusReason: 'The calendar is gone.' }],
    ['disconnecting', 'busy', { syncEnabled: false, statusReason: 'disconnect_requested' }],
  ];
  test.each(cases)('%s is told with tone %s', (label, tone, over) => {
    expect(judge(over)).toMatchObject({ label, tone });
  });

  test('says when the next try comes and after how many', () => {
    const over = { lastError: failed, backoffUntil: secondsFromNow(299.5) };
    expect(judge({ ...over, errorCount: 1 }).sentence).toBe(
      'Backing off after one failed try; the next one is in 5 min.',
    );
    expect(judge({ ...over, errorCount: 3 }).sentence).toContain('after 3 failed tries');
    expect(judge({ ...over, errorCount: 0 }).sentence).toContain('Waiting;');
  });

  test('says that its free time is not trusted while something in it cannot be read', () => {
    const circumstances = { now: NOW, obstacle: null, reconcileSeconds: 300, hasDoubts: true };
    expect(judgeConnection(healthy, circumstances)).toMatchObject({ label: 'in doubt', tone: 'warn' });
    expect(judgeConnection({ ...healthy, status: 'disabled' }, circumstances).label).toBe('disabled');
  });

  test('says what people stopped, but never that a revoked grant is merely paused', () => {
    expect(judge({}, 'switched_off').label).toBe('paused');
    expect(judge({}, 'flag_off').label).toBe('stopped');
    expect(judge({}, 'not_allowlisted').label).toBe('not allowlisted');
    expect(judge({ status: 'reauth_required' }, 'switched_off').label).toBe('needs reconnecting');
  });
});
