import type {
  Channel,
  Connection,
  Delivery,
  LastError,
  OperatorLogEntry,
  RequestedBy,
  SyncRun,
  TroubledBooking,
  UnreadableRecord,
} from '@bookiji/db';
import { explainError, nameOfCalendarProvider } from '@bookiji/sync';
import type { Operator } from '../access/login.ts';
import { type Html, type HtmlPart, html } from '../html/html.ts';
import { page } from '../html/layout.ts';
import { action, badge, section, shortId, table } from '../html/parts.ts';
import { ago, formatDay, formatSeconds, formatUtc } from '../html/times.ts';
import type { Judgement } from './judge-connection.ts';
import type { WeekPiece } from './week.ts';

export interface ConnectionView {
  readonly now: Date;
  readonly connection: Connection;
  readonly judgement: Judgement;
  /** Whether this connection's own switch is off. */
  readonly isPaused: boolean;
  readonly channels: readonly Channel[];
  readonly runs: readonly SyncRun[];
  readonly deliveries: readonly Delivery[];
  readonly bookings: readonly TroubledBooking[];
  readonly operatorLog: readonly OperatorLogEntry[];
  /** What in the calendar may block and cannot be read. */
  readonly unreadable: readonly UnreadableRecord[];
  /** The coming days, for those who cannot see the picture. */
  readonly week: readonly WeekPiece[];
}

const VENDOR = '/assets/vendor/fullcalendar';

const TRIGGERS: Readonly<Record<RequestedBy, string>> = {
  webhook: 'notification',
  manual: 'a person',
  availability: 'availability',
  schedule: 'schedule',
  retry: 'retry',
  connect: 'connecting',
};

/** One connection: how it is, why, what to do, and its week. */
export function renderConnection(view: ConnectionView, operator: Operator, notice: string | null): string {
  const { connection, judgement, now } = view;
  return page(
    {
      title: `${nameOfCalendarProvider(connection.calendarProvider)} connection ${connection.id.slice(0, 8)}`,
      place: 'connections',
      operator,
      notice,
      scripts: [`${VENDOR}.js`, `${VENDOR}-theme.js`, '/assets/week.js'],
      sheets: [`${VENDOR}.css`, `${VENDOR}-theme.css`, '/assets/week.css'],
    },
    html`<p class="crumbs"><a href="/connections">Connections</a></p>
    <div class="head"><h1>${nameOfCalendarProvider(connection.calendarProvider)} connection <code>${connection.id.slice(0, 8)}</code></h1></div>
    <div id="state" class="state ${judgement.tone}" data-live>
      <p class="verdict">${badge(judgement.tone, judgement.label)} <span>${judgement.sentence}</span></p>
      ${connection.lastError !== null && renderError(connection.lastError, connection.calendarProvider, now)}
      ${view.unreadable.length > 0 && renderUnreadable(view.unreadable)}
      ${renderFacts(connection, now)}</div>
    ${operator.mayChange ? renderActions(view) : null}
    <section class="panel" aria-labelledby="week-title"><header class="panel-head"><h2 id="week-title">The coming week, in UTC</h2>${legend}</header>
      <div id="week" data-source="/connections/${connection.id}/week" data-now="${now.toISOString()}"><noscript><p class="empty">The picture needs JavaScript; the list below works without.</p></noscript></div>
      <details class="list"><summary>As a list</summary><div id="week-list" data-live>${renderWeekList(view.week)}</div></details>
    </section>
    <div class="columns">
      ${section('runs', 'Sync runs', renderRuns(view))}
      ${section('deliveries', 'Notifications', renderDeliveries(view))}
      ${section('bookings', 'Bookings not in the calendar yet', renderBookings(view))}
      ${section('channels', 'Push channels', renderChannels(view))}
      ${section('operator-log', 'Operator log', renderOperatorLog(view))}
    </div>`,
  );
}

const legend = html`<ul class="legend" aria-label="Colours"><li class="busy">busy</li><li class="booking">booking</li><li class="free">free</li><li class="unknown">not in sync</li></ul>`;

function renderError(error: LastError, calendarProvider: string, now: Date): Html {
  const { what, todo, runbook } = explainError(error, calendarProvider);
  return html`<div class="trouble"><h2>What went wrong</h2><p>${what}</p><h2>What to do</h2><p>${todo} <a href="/runbooks/${runbook}">Runbook</a></p>
    <p class="soft">${ago(new Date(error.at), now)} · <code>${error.kind}/${error.reason}</code>${error.status !== undefined && html` · HTTP ${error.status}`}${error.request_id !== undefined && html` · request <code>${error.request_id}</code>`}</p></div>`;
}

function renderUnreadable(items: readonly UnreadableRecord[]): Html {
  const reasons = [...new Set(items.map(({ reason }) => reason))].sort().join(', ');
  const what = items.length === 1 ? 'One event' : `${items.length} events`;
  return html`<div class="trouble"><h2>What cannot be read</h2><p>${what} in this calendar: <code>${reasons}</code></p>
    <h2>What to do</h2><p>The owner can mend, delete or mark as free what is odd in the calendar. <a href="/runbooks/calendar-unreadable-items">Runbook</a></p></div>`;
}

function renderFacts(connection: Connection, now: Date): Html {
  const fact = (name: string, value: HtmlPart) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
  const { syncWindowStart: start, syncWindowEnd: end } = connection;
  return html`<dl class="facts">
    ${fact('last synced', ago(connection.lastSyncedAt, now))}
    ${fact('last notification', ago(connection.lastWebhookReceivedAt, now))}
    ${fact('failed tries', connection.errorCount)}
    ${fact('window in sync', start === null || end === null ? 'nothing yet' : `${formatDay(start)} – ${formatDay(end)}`)}
    ${fact('connection', html`<code>${connection.id}</code>`)}
    ${fact('provider', html`<code>${connection.providerId}</code>`)}</dl>`;
}

function renderActions({ connection, isPaused }: ConnectionView): Html {
  const to = (name: string) => `/connections/${connection.id}/${name}`;
  return html`<div class="actions" id="actions">
    ${action({ to: to('sync'), label: 'Sync now', isMain: true })}
    ${action({ to: to('reopen-channel'), label: 'Re-open push channel' })}
    ${
      isPaused
        ? action({ to: to('resume'), label: 'Resume', reasonFor: 'resuming this connection' })
        : html`<details class="ask"><summary>Pause…</summary>${action({ to: to('pause'), label: 'Pause', reasonFor: 'pausing this connection' })}</details>`
    }
    <details class="ask"><summary class="danger">Disconnect…</summary><p>Closes the push channel, revokes the grant, and erases tokens and busy times. Only the owner can undo this, by reconnecting.</p>
      ${action({ to: to('disconnect'), label: 'Disconnect', reasonFor: 'disconnecting', isDanger: true })}</details></div>`;
}

function renderWeekList(week: readonly WeekPiece[]): Html {
  return table({
    caption: 'The coming seven days',
    isSmall: true,
    empty: 'Nothing is known about these days yet.',
    columns: ['from (UTC)', 'to (UTC)', 'what'],
    rows: [...week]
      .sort((a, b) => a.startAt.getTime() - b.startAt.getTime())
      .map(({ startAt, endAt, kind, bookingId }) => [
        formatUtc(startAt),
        formatUtc(endAt),
        bookingId === undefined ? (kind === 'unknown' ? 'not in sync' : kind) : html`booking ${shortId(bookingId)}`,
      ]),
  });
}

function renderRuns({ runs, connection, now }: ConnectionView): Html {
  return table({
    caption: 'Sync runs',
    empty: 'No sync in the last week.',
    columns: [
      'when',
      'outcome',
      'trigger',
      'took',
      { title: 'stored', isNumber: true },
      { title: 'removed', isNumber: true },
    ],
    rows: runs.map((run) => [
      ago(run.finishedAt, now),
      run.error === null
        ? badge('good', run.mode === 'full' ? `${run.outcome} (full)` : run.outcome)
        : html`${badge('warn', run.outcome)} <span class="soft" title="${explainError(run.error, connection.calendarProvider).what}">${run.error.reason}</span>`,
      TRIGGERS[run.requestedBy as RequestedBy] ?? run.requestedBy,
      html`<span class="nowrap">${formatSeconds((run.finishedAt.getTime() - run.startedAt.getTime()) / 1000)}</span>`,
      run.putCount,
      run.droppedCount,
    ]),
  });
}

function renderBookings({ bookings, connection, now }: ConnectionView): Html {
  return table({
    caption: 'Bookings not in the calendar yet',
    empty: 'Every booking is in the calendar.',
    columns: ['booking', 'state', 'next try', 'what is wrong'],
    rows: bookings.map((one) => [
      shortId(one.bookingId),
      one.deadAt !== null
        ? badge('bad', 'given up')
        : one.errorCount > 0
          ? badge('warn', 'failing')
          : badge('busy', 'due'),
      one.deadAt !== null ? html`<a href="/dead-letters">dead letters</a>` : ago(one.nextAttemptAt, now),
      one.lastError === null ? '–' : explainError(one.lastError, connection.calendarProvider).what,
    ]),
  });
}

function renderChannels({ channels, now }: ConnectionView): Html {
  const tones = { active: 'good', registering: 'busy', failed: 'warn', retired: 'off' } as const;
  return table({
    caption: 'Push channels',
    isSmall: true,
    empty: 'No channel is open, so the calendar is polled.',
    columns: ['state', 'opened', 'ends'],
    rows: channels.map((channel) => [
      badge(tones[channel.state], channel.state),
      ago(channel.createdAt, now),
      ago(channel.expiresAt, now, '–'),
    ]),
  });
}

function renderDeliveries({ deliveries, now }: ConnectionView): Html {
  return table({
    caption: 'Notifications received',
    isSmall: true,
    empty: 'No notification has arrived yet.',
    columns: ['received', 'delivery key'],
    rows: deliveries.map((one) => [
      ago(one.receivedAt, now),
      html`<code title="${one.deliveryKey}">…${one.deliveryKey.slice(-28)}</code>`,
    ]),
  });
}

function renderOperatorLog({ operatorLog, now }: ConnectionView): Html {
  return table({
    caption: 'What operators did to this connection',
    empty: 'Nothing yet.',
    columns: ['when', 'who', 'what', 'why'],
    rows: operatorLog.map((one) => [
      ago(one.createdAt, now),
      one.actor,
      one.action.replaceAll('_', ' '),
      typeof one.details.reason === 'string' ? one.details.reason : '–',
    ]),
  });
}
