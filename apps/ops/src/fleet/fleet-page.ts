import { nameOfCalendarProvider } from '@bookiji/sync';
import type { Operator } from '../access/login.ts';
import { type Html, type HtmlPart, html } from '../html/html.ts';
import { page } from '../html/layout.ts';
import { badge, card, section, shortId, type Tone, table } from '../html/parts.ts';
import { ago, formatSeconds } from '../html/times.ts';
import { judgeFleet } from './judge-fleet.ts';
import type { Lag } from './lag-window.ts';
import { type FleetGlance, RUN_MINUTES } from './read-glance.ts';
import { countWaiting } from './read-queues.ts';
import { drawRuns } from './runs-chart.ts';

/** The promise that the freshness alerts watch: 99 of 100 within a minute. */
const PROMISED_SECONDS = 60;

/** The fleet at a glance: first what needs somebody, then how it runs. */
export function renderFleet(glance: FleetGlance, operator: Operator): string {
  return page(
    { title: 'Fleet', place: 'fleet', operator },
    html`<div class="head"><h1>The fleet</h1><p class="soft" id="as-of" data-live>as of ${glance.now.toISOString().slice(11, 19)} UTC</p></div>
    ${renderFindings(glance)}
    <div class="cards" id="figures" data-live>${renderFigures(glance)}</div>
    <div class="columns">
      ${section('runs', 'Syncs per minute', drawRuns(glance.runs, RUN_MINUTES))}
      ${section('connections', 'Connections', renderConnections(glance), html`<a href="/connections">All connections</a>`)}
      ${section('queues', 'Queues', renderQueues(glance), html`<a href="/queues">Bull Board</a>`)}
      ${section('channels', 'Push channels', renderChannels(glance))}
      ${section('breakers', 'Breakers', renderBreakers(glance))}
      ${section('processes', 'Processes', renderProcesses(glance))}
    </div>`,
  );
}

function renderFindings(glance: FleetGlance): Html {
  const findings = judgeFleet(glance);
  if (findings.length === 0) {
    return html`<div id="findings" class="findings calm" data-live><p>${badge('good', 'All is well')} Nothing needs your attention.</p></div>`;
  }
  const words: Readonly<Record<Tone, string>> = {
    bad: 'Now',
    warn: 'Soon',
    off: 'Stopped',
    busy: 'Busy',
    good: 'Well',
  };
  return html`<div id="findings" class="findings" data-live><h2 class="hidden">What needs your attention</h2><ul>${findings.map(
    ({ tone, text, to, runbook }) =>
      html`<li>${badge(tone, words[tone])}<span>${text}</span><span class="ways"><a href="${to}">View</a>${runbook !== undefined && html`<a href="/runbooks/${runbook}">Runbook</a>`}</span></li>`,
  )}</ul></div>`;
}

function renderFigures(glance: FleetGlance): HtmlPart {
  const pending = (kind: string) => glance.state.pending.find((one) => one.kind === kind);
  const dead = glance.state.deadLetters.reduce((sum, one) => sum + one.count, 0);
  const work = (title: string, kind: string) => {
    const { count, oldestSeconds, parkedCount } = pending(kind) ?? { count: 0, oldestSeconds: 0, parkedCount: 0 };
    const tone = count === 0 ? 'good' : oldestSeconds > 60 ? 'warn' : 'busy';
    return card(
      title,
      String(count),
      `${count === 0 ? 'nothing is waiting' : `oldest ${formatSeconds(oldestSeconds)}`}${parkedCount === 0 ? '' : ` · ${parkedCount} parked`}`,
      tone,
    );
  };
  return [
    lagCard('Change → busy time', glance.lags.calendar_change_lag_seconds),
    lagCard('Booking → calendar', glance.lags.calendar_booking_lag_seconds),
    work('Connections waiting', 'inbound'),
    work('Bookings waiting', 'outbound'),
    card(
      'Dead letters',
      html`<a href="/dead-letters">${dead}</a>`,
      dead === 0 ? 'none open' : 'open: look, then replay',
      dead === 0 ? 'good' : 'warn',
    ),
  ];
}

function lagCard(title: string, lag: Lag): Html {
  if (lag.p50 === null || lag.p95 === null || lag.p99 === null) return card(title, '–', 'nothing measured yet');
  const over = lag.overMs === null ? 'since the start' : `last ${formatSeconds(Math.max(60, lag.overMs / 1000))}`;
  const figure = html`${formatSeconds(lag.p95)} <small>p95</small>`;
  const note = html`p50 ${formatSeconds(lag.p50)} · p99 ${formatSeconds(lag.p99)}<br>${lag.count} measured, ${over}`;
  return card(title, figure, note, lag.p99 <= PROMISED_SECONDS ? 'good' : 'warn');
}

function renderConnections({ connections }: FleetGlance): Html {
  const total = (pick: (one: (typeof connections)[number]) => number) =>
    connections.reduce((n, one) => n + pick(one), 0);
  const by = (status: string) => total((one) => (one.status === status ? one.count : 0));
  const line = (tone: Tone, label: string, state: string, count: number, kind = '') =>
    html`<li><a class="${kind}" href="/connections?state=${state}">${badge(count === 0 ? 'off' : tone, label)}<b>${count}</b></a></li>`;
  const split = ['google', 'microsoft'].map((provider) => {
    const count = total((one) => (one.calendarProvider === provider ? one.count : 0));
    return html`<a href="/connections?calendar_provider=${provider}">${nameOfCalendarProvider(provider)} ${count}</a>`;
  });
  const failing = total((one) => one.failing);
  const waiting = total((one) => one.waiting);
  return html`<ul class="tally">
    ${line('good', 'active', 'active', by('active'))}
    ${line('warn', 'of these failing', 'failing', failing, 'part')}
    ${line('busy', 'of these backing off', 'waiting', waiting, 'part')}
    ${line('bad', 'need reconnecting', 'reauth_required', by('reauth_required'))}
    ${line('off', 'disabled', 'disabled', by('disabled'))}</ul><p class="soft split">${split[0]} · ${split[1]}</p>`;
}

function renderQueues({ queues }: FleetGlance): Html {
  return table({
    caption: 'Queues',
    isSmall: true,
    empty: 'No queues.',
    columns: [
      'queue',
      'state',
      { title: 'waiting', isNumber: true },
      { title: 'active', isNumber: true },
      { title: 'failed', isNumber: true },
    ],
    rows: queues.map((queue) => [
      html`<a href="/queues/queue/${queue.name}">${queue.name.replace('calendar-', '')}</a>`,
      queue.counts === null
        ? badge('bad', 'no answer')
        : queue.isPaused
          ? badge('off', 'paused')
          : badge('good', 'running'),
      countWaiting(queue),
      queue.counts?.active ?? '–',
      queue.counts?.failed ?? '–',
    ]),
  });
}

function renderChannels({ state }: FleetGlance): Html {
  const tones: Readonly<Record<string, Tone>> = { active: 'good', registering: 'busy', failed: 'warn', retired: 'off' };
  return table({
    caption: 'Push channels by state',
    isSmall: true,
    empty: 'None yet: a channel opens when a calendar is connected.',
    columns: ['calendar provider', 'state', { title: 'channels', isNumber: true }],
    rows: [...state.channels]
      .sort((a, b) => a.calendarProvider.localeCompare(b.calendarProvider) || a.state.localeCompare(b.state))
      .map((one) => [
        nameOfCalendarProvider(one.calendarProvider),
        badge(tones[one.state] ?? 'off', one.state),
        one.count,
      ]),
  });
}

function renderBreakers({ breakers }: FleetGlance): Html {
  const tones = { closed: 'good', half_open: 'warn', open: 'bad' } as const;
  const roles = [...new Set(breakers.map(({ role }) => role))].sort();
  const worst = (role: string, provider: string) =>
    (['open', 'half_open', 'closed'] as const).find((state) =>
      breakers.some((one) => one.role === role && one.calendarProvider === provider && one.state === state),
    );
  const cell = (role: string, provider: string) => {
    const state = worst(role, provider);
    return state === undefined ? '–' : badge(tones[state], state);
  };
  return table({
    caption: 'Breakers in front of the calendar providers',
    isSmall: true,
    empty: 'No worker has reported yet.',
    columns: ['process', 'Google', 'Microsoft'],
    rows: roles.map((role) => [role, cell(role, 'google'), cell(role, 'microsoft')]),
  });
}

function renderProcesses({ processes, now }: FleetGlance): Html {
  const alive = processes.filter(({ isAlive }) => isAlive).sort((a, b) => a.role.localeCompare(b.role));
  return table({
    caption: 'Processes that report',
    isSmall: true,
    empty: 'No process has reported in the last 15 seconds.',
    columns: ['process', 'instance', 'up for', 'seen'],
    rows: alive.map((one) => [
      one.role,
      shortId(one.instanceId),
      html`<span class="nowrap">${formatSeconds((now.getTime() - one.startedAt.getTime()) / 1000)}</span>`,
      ago(one.seenAt, now),
    ]),
  });
}
