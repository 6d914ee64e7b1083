import { CONNECTION_STATES, type Connection, type ConnectionState } from '@bookiji/db';
import { explainError, nameOfCalendarProvider } from '@bookiji/sync';
import type { Operator } from '../access/login.ts';
import { type Html, html } from '../html/html.ts';
import { page } from '../html/layout.ts';
import { badge, table } from '../html/parts.ts';
import { ago } from '../html/times.ts';
import type { Judgement } from './judge-connection.ts';

export const PER_PAGE = 25;

export interface SearchWish {
  readonly text: string;
  readonly state: ConnectionState | null;
  readonly calendarProvider: 'google' | 'microsoft' | null;
  /** From 1. */
  readonly pageNumber: number;
}

export interface ConnectionsView {
  readonly wish: SearchWish;
  readonly total: number;
  readonly connections: readonly { readonly connection: Connection; readonly judgement: Judgement }[];
  readonly now: Date;
}

const STATE_NAMES: Readonly<Record<ConnectionState, string>> = {
  active: 'Active',
  waiting: 'Backing off',
  failing: 'Failing',
  reauth_required: 'Needs reconnecting',
  disabled: 'Disabled',
};

export function renderConnections(view: ConnectionsView, operator: Operator): string {
  const { total, connections, now } = view;
  return page(
    { title: 'Connections', place: 'connections', operator },
    html`<div class="head"><h1>Connections</h1><p class="soft">${total} found, those in trouble first</p></div>
    ${renderSearch(view.wish)}
    <div class="panel" id="found" data-live>${table({
      caption: 'Connections',
      empty: 'No connection matches. The search looks at how an id begins.',
      columns: ['connection', 'provider', 'calendar', 'state', 'last synced', 'what is wrong'],
      rows: connections.map(({ connection, judgement }) => [
        html`<a href="/connections/${connection.id}"><code>${connection.id.slice(0, 13)}…</code></a>`,
        html`<code title="${connection.providerId}">${connection.providerId.slice(0, 8)}</code>`,
        nameOfCalendarProvider(connection.calendarProvider),
        badge(judgement.tone, judgement.label),
        ago(connection.lastSyncedAt, now),
        connection.lastError === null
          ? html`<span class="soft">–</span>`
          : explainError(connection.lastError, connection.calendarProvider).what,
      ]),
    })}${renderPager(view)}</div>`,
  );
}

function renderSearch({ text, state, calendarProvider }: SearchWish): Html {
  const option = (value: string, label: string, chosen: string | null) =>
    html`<option value="${value}"${value === (chosen ?? '') ? html` selected` : null}>${label}</option>`;
  return html`<form class="search" method="get" action="/connections" role="search">
    <label>Id <input type="search" name="q" value="${text}" placeholder="start of a connection or provider id" autocomplete="off"></label>
    <label>State <select name="state">${option('', 'any', state)}${CONNECTION_STATES.map((one) => option(one, STATE_NAMES[one], state))}</select></label>
    <label>Calendar <select name="calendar_provider">${option('', 'any', calendarProvider)}${option('google', 'Google', calendarProvider)}${option('microsoft', 'Microsoft', calendarProvider)}</select></label>
    <button class="main">Find</button></form>`;
}

function renderPager({ wish, total }: ConnectionsView): Html | null {
  const last = Math.max(1, Math.ceil(total / PER_PAGE));
  if (last === 1) return null;
  const link = (to: number, label: string) => {
    const query = new URLSearchParams({
      ...(wish.text === '' ? {} : { q: wish.text }),
      ...(wish.state === null ? {} : { state: wish.state }),
      ...(wish.calendarProvider === null ? {} : { calendar_provider: wish.calendarProvider }),
      page: String(to),
    });
    return html`<a href="/connections?${query.toString()}">${label}</a>`;
  };
  return html`<nav class="pager" aria-label="Pages">${wish.pageNumber > 1 && link(wish.pageNumber - 1, '← Previous')}
    <span>page ${wish.pageNumber} of ${last}</span>${wish.pageNumber < last && link(wish.pageNumber + 1, 'Next →')}</nav>`;
}
