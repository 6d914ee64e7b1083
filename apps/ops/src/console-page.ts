import { type Database, listConnections, listProcesses, readFleetState } from '@bookiji/db';
import type { FlagBoard } from '@bookiji/flags';
import { escapeHtml, page } from './page.ts';

const SHOWN_CONNECTIONS = 50;

/** The fleet at a glance, and the connections with the most trouble first. */
export async function renderConsole(deps: { readonly db: Database; readonly flags: FlagBoard }): Promise<string> {
  const [processes, state, connections] = await Promise.all([
    listProcesses(deps.db),
    readFleetState(deps.db),
    listConnections(deps.db, {}, SHOWN_CONNECTIONS),
  ]);
  const alive = processes.filter((one) => one.isAlive);
  const dead = state.deadLetters.reduce((sum, one) => sum + one.count, 0);
  const cards = [
    ...state.pending.map((one) =>
      card(
        `${one.kind} pending`,
        String(one.count),
        one.count > 0 ? `oldest ${one.oldestSeconds.toFixed(0)} s` : 'nothing waits',
      ),
    ),
    card('dead letters', String(dead), dead === 0 ? 'none' : 'look at them'),
    card('processes', String(alive.length), 'seen within 15 s'),
  ];
  return page(
    'Fleet',
    `<header><strong>Calendar Sync</strong><nav><a href="/">Fleet</a><a href="/queues">Queues</a></nav>
      <form class="inline" method="post" action="/logout"><button>Log out</button></form></header>
    <section class="cards">${cards.join('')}</section>
    <h2>Flags</h2>${table(
      ['flag', 'in force'],
      Object.entries(deps.flags.effective()).map(([name, isOn]) => [
        escapeHtml(name),
        isOn ? '<span class="good">on</span>' : '<span class="bad">off</span>',
      ]),
    )}
    <h2>Connections</h2>${table(
      ['connection', 'calendar', 'status', 'last synced', 'errors', 'last error'],
      connections.map((one) => [
        `<code>${one.id}</code>`,
        one.calendarProvider,
        one.status === 'active'
          ? '<span class="good">active</span>'
          : `<span class="bad">${one.status}</span> ${escapeHtml(one.statusReason ?? '')}`,
        one.lastSyncedAt?.toISOString() ?? 'never',
        String(one.errorCount),
        one.lastError === null ? '' : escapeHtml(`${one.lastError.kind}: ${one.lastError.reason}`),
      ]),
    )}
    <h2>Processes</h2>${table(
      ['role', 'started', 'seen'],
      alive.map((one) => [escapeHtml(one.role), one.startedAt.toISOString(), one.seenAt.toISOString()]),
    )}`,
  );
}

function card(title: string, figure: string, note: string): string {
  return `<div class="card">${escapeHtml(title)}<b>${escapeHtml(figure)}</b><small>${escapeHtml(note)}</small></div>`;
}

/** Cells are HTML already. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>none yet</p>';
  const head = header.map((title) => `<th>${title}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('');
  return `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`;
}
