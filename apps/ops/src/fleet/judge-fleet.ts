/** What an operator should look at, worst first, in words. Pure. */
import { nameOfCalendarProvider } from '@bookiji/sync';
import type { Tone } from '../html/parts.ts';
import { formatSeconds } from '../html/times.ts';
import { type FleetGlance, ROLES } from './read-glance.ts';

export interface Finding {
  readonly tone: Tone;
  readonly text: string;
  /** Where to look. */
  readonly to: string;
  /** A file of `docs/runbooks`, without its ending. */
  readonly runbook?: string;
}

const OLD_SECONDS = 60;
const ORDER: readonly Tone[] = ['bad', 'warn', 'off', 'busy', 'good'];

export function judgeFleet(glance: FleetGlance): Finding[] {
  const findings = [
    ...judgeProcesses(glance),
    ...judgeBreakers(glance),
    ...judgeWork(glance),
    ...judgeConnections(glance),
    ...judgeStops(glance),
  ];
  return findings.sort((a, b) => ORDER.indexOf(a.tone) - ORDER.indexOf(b.tone));
}

function judgeProcesses({ processes }: FleetGlance): Finding[] {
  return ROLES.filter((role) => !processes.some((one) => one.role === role && one.isAlive)).map((role) => ({
    tone: 'bad',
    text: `No ${role} has reported for 15 seconds.`,
    to: '#processes',
    runbook: 'calendar-process-missing',
  }));
}

function judgeBreakers({ breakers }: FleetGlance): Finding[] {
  return ['google', 'microsoft'].flatMap((calendarProvider): Finding[] => {
    const open = breakers.filter((one) => one.calendarProvider === calendarProvider && one.state !== 'closed');
    if (open.length === 0) return [];
    const where = open.map(({ role }) => role).join(', ');
    const text = `Calls to ${nameOfCalendarProvider(calendarProvider)} are held back (breaker open in ${where}). Work waits and resumes by itself.`;
    return [{ tone: 'bad', text, to: '#breakers', runbook: 'calendar-breaker-open' }];
  });
}

function judgeWork({ state, queues }: FleetGlance): Finding[] {
  const old = state.pending.filter(({ count, oldestSeconds }) => count > 0 && oldestSeconds > OLD_SECONDS);
  const dead = state.deadLetters.reduce((sum, { count }) => sum + count, 0);
  const failed = state.channels.filter((one) => one.state === 'failed').reduce((sum, { count }) => sum + count, 0);
  const lost = queues.filter(({ counts }) => counts === null);
  return [
    ...old.map(
      ({ kind, count, oldestSeconds }): Finding => ({
        tone: oldestSeconds > 5 * OLD_SECONDS ? 'bad' : 'warn',
        text: `${kind === 'inbound' ? countOf(count, 'connection waits', 'connections wait') : countOf(count, 'booking waits', 'bookings wait')}, the oldest for ${formatSeconds(oldestSeconds)}.`,
        to: kind === 'inbound' ? '/connections?state=waiting' : '#figures',
        runbook: 'calendar-intents-old',
      }),
    ),
    ...(dead === 0
      ? []
      : [
          {
            tone: 'warn' as const,
            text: `${countOf(dead, 'dead letter is', 'dead letters are')} open.`,
            to: '/dead-letters',
            runbook: 'calendar-dead-letters',
          },
        ]),
    ...(failed === 0
      ? []
      : [
          {
            tone: 'warn' as const,
            text: `${countOf(failed, 'channel', 'channels')} could not be opened; those calendars are polled instead.`,
            to: '#channels',
            runbook: 'calendar-channels-failing',
          },
        ]),
    ...(lost.length === 0
      ? []
      : [
          {
            tone: 'bad' as const,
            text: 'The queue transport does not answer. Nothing is lost: work stands in PostgreSQL, and sweeps find it.',
            to: '#queues',
            runbook: 'calendar-stores-failing',
          },
        ]),
  ];
}

function judgeConnections({ connections }: FleetGlance): Finding[] {
  const sum = (pick: (one: (typeof connections)[number]) => number) => connections.reduce((n, one) => n + pick(one), 0);
  const failing = sum(({ failing: n }) => n);
  const revoked = sum(({ status, count }) => (status === 'reauth_required' ? count : 0));
  return [
    ...(failing === 0
      ? []
      : [
          {
            tone: 'warn' as const,
            text: `${countOf(failing, 'connection is', 'connections are')} failing and trying again.`,
            to: '/connections?state=failing',
            runbook: 'calendar-sync-failures',
          },
        ]),
    ...(revoked === 0
      ? []
      : [
          {
            tone: 'warn' as const,
            text: `${countOf(revoked, 'connection needs its owner', 'connections need their owners')} to reconnect.`,
            to: '/connections?state=reauth_required',
            runbook: 'calendar-auth-revoked-spike',
          },
        ]),
  ];
}

/** What people stopped on purpose: easily forgotten. */
function judgeStops({ queues, flags, switches }: FleetGlance): Finding[] {
  const runbook = 'draining-and-pausing-queues';
  const off = switches.filter(({ name, isOn }) => name !== 'shadow' && !isOn);
  const connections = off.filter(({ name }) => name.startsWith('connection:')).length;
  return [
    ...queues
      .filter(({ isPaused }) => isPaused)
      .map(
        ({ name }): Finding => ({ tone: 'off', text: `${name} is paused in Bull Board.`, to: `/queues/queue/${name}` }),
      ),
    ...Object.entries(flags)
      .filter(([, isOn]) => !isOn)
      .map(([name]): Finding => ({ tone: 'off', text: `${name} is off.`, to: '/switches', runbook })),
    ...off
      .filter(({ name }) => !name.startsWith('connection:'))
      .map(({ name }): Finding => ({ tone: 'off', text: `${name} is switched off.`, to: '/switches', runbook })),
    ...(connections === 0
      ? []
      : [
          {
            tone: 'off' as const,
            text: `${countOf(connections, 'connection is', 'connections are')} paused.`,
            to: '/switches',
          },
        ]),
    ...(switches.some(({ name, isOn }) => name === 'shadow' && isOn)
      ? [
          {
            tone: 'off' as const,
            text: 'Shadow mode is on: bookings are planned and logged, but not written.',
            to: '/switches',
          },
        ]
      : []),
  ];
}

function countOf(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
