import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { judgeFleet } from './judge-fleet.ts';
import { type FleetGlance, ROLES } from './read-glance.ts';

const NOW = new Date('2026-11-24T09:00:00Z');
const lag = { count: 0, p50: null, p95: null, p99: null, overMs: null };
const counts = { waiting: 0, active: 0, delayed: 0, prioritized: 0, paused: 0, failed: 0 };

function glance(over: Partial<FleetGlance> = {}): FleetGlance {
  return {
    now: NOW,
    processes: ROLES.map((role) => ({
      instanceId: role,
      role,
      metrics: [],
      startedAt: NOW,
      seenAt: NOW,
      isAlive: true,
    })),
    state: { pending: [], deadLetters: [], channels: [], doubtful: [] },
    connections: [],
    queues: [{ name: 'calendar-retry', counts, isPaused: false }],
    breakers: [],
    lags: { calendar_change_lag_seconds: lag, calendar_booking_lag_seconds: lag },
    runs: [],
    flags: {
      CALENDAR_SYNC_ENABLED: true,
      CALENDAR_JOBS_ENABLED: true,
      CALENDAR_OAUTH_ENABLED: true,
      CALENDAR_WEBHOOK_ENABLED: true,
    },
    switches: [{ name: 'shadow', isOn: false, turned: null }],
    ...over,
  };
}

const connection = { calendarProvider: 'google', status: 'active', count: 3, failing: 2, waiting: 1 } as const;
const troubles: readonly [string, Partial<FleetGlance>, string][] = [
  ['a process that is gone', { processes: glance().processes.slice(1) }, 'No ingress has reported'],
  [
    'an open breaker',
    { breakers: [{ calendarProvider: 'google', role: 'inbound-worker', state: 'open' }] },
    'Calls to Google are held back',
  ],
  [
    'old work',
    {
      state: {
        pending: [{ kind: 'inbound', count: 2, oldestSeconds: 90, parkedCount: 0 }],
        deadLetters: [],
        channels: [],
        doubtful: [],
      },
    },
    '2 connections wait, the oldest for 2 min.',
  ],
  [
    'dead letters',
    { state: { pending: [], deadLetters: [{ kind: 'booking_event', count: 1 }], channels: [], doubtful: [] } },
    '1 dead letter is open.',
  ],
  [
    'channels that failed',
    {
      state: {
        pending: [],
        deadLetters: [],
        channels: [{ calendarProvider: 'google', state: 'failed', count: 4 }],
        doubtful: [],
      },
    },
    '4 channels could not be opened',
  ],
  ['failing connections', { connections: [connection] }, '2 connections are failing'],
  [
    'revoked grants',
    { connections: [{ ...connection, status: 'reauth_required', count: 1, failing: 0 }] },
    '1 connection needs its owner to reconnect',
  ],
  ['a silent transport', { queues: [{ name: 'calendar-retry', counts: null, isPaused: false }] }, 'does not answer'],
  ['a paused queue', { queues: [{ name: 'calendar-retry', counts, isPaused: true }] }, 'calendar-retry is paused'],
  [
    'a flag that is off',
    { flags: { ...glance().flags, CALENDAR_JOBS_ENABLED: false } },
    'CALENDAR_JOBS_ENABLED is off',
  ],
  ['a kill switch', { switches: [{ name: 'provider:google', isOn: false, turned: null }] }, 'provider:google is'],
  [
    'a paused connection',
    { switches: [{ name: 'connection:x', isOn: false, turned: null }] },
    '1 connection is paused',
  ],
  ['shadow mode', { switches: [{ name: 'shadow', isOn: true, turned: null }] }, 'Shadow mode'],
];

describe('what needs an operator', () => {
  test('is nothing in a calm fleet', () => {
    expect(judgeFleet(glance())).toEqual([]);
  });

  test.each(troubles)('is %s', (_, over, text) => {
    const findings = judgeFleet(glance(over));
    expect(findings.map((finding) => finding.text)).toEqual([expect.stringContaining(text)]);
  });

  test('comes worst first, each with a runbook that exists', () => {
    const all = judgeFleet(glance(Object.assign({}, ...troubles.map(([, over]) => over)) as Partial<FleetGlance>));
    const tones = all.map(({ tone }) => tone);
    expect(tones).toEqual(
      [...tones].sort((a, b) => ['bad', 'warn', 'off'].indexOf(a) - ['bad', 'warn', 'off'].indexOf(b)),
    );
    for (const [, over] of troubles) {
      for (const { runbook } of judgeFleet(glance(over))) {
        if (runbook === undefined) continue;
        const file = new URL(`../../../../docs/runbooks/${runbook}.md`, import.meta.url);
        expect([runbook, existsSync(fileURLToPath(file))]).toEqual([runbook, true]);
      }
    }
  });
});
