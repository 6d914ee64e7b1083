import type { DeadLetter } from '@bookiji/db';
import type { Operator } from '../access/login.ts';
import { hidePersonal } from '../board/hide-personal.ts';
import { type Html, html } from '../html/html.ts';
import { page } from '../html/layout.ts';
import { action, badge, shortId, table } from '../html/parts.ts';
import { ago } from '../html/times.ts';

const KINDS: Readonly<Record<DeadLetter['kind'], string>> = {
  booking_event: 'booking event that could not be accepted',
  outbound_sync: 'booking that could not be written to a calendar',
  held_deletions: 'question: a calendar lost many bookings at once',
};

export function renderDeadLetters(
  view: { readonly letters: readonly DeadLetter[]; readonly now: Date },
  operator: Operator,
  notice: string | null,
): string {
  return page(
    { title: 'Dead letters', place: 'dead-letters', operator, notice },
    html`<div class="head"><h1>Dead letters</h1><p class="soft">Work that was given up, and why. <a href="/runbooks/calendar-dead-letters">Runbook</a></p></div>
    <div class="panel" id="letters" data-live>${table({
      caption: 'Open dead letters',
      empty: 'None: no work has been given up.',
      columns: ['letter', 'what', 'reason', 'since', ''],
      rows: view.letters.map((letter) => [
        html`<a href="/dead-letters/${letter.id}">${shortId(letter.id)}</a>`,
        KINDS[letter.kind],
        letter.reason,
        ago(letter.createdAt, view.now),
        operator.mayChange ? buttons(letter) : null,
      ]),
    })}</div>`,
  );
}

export function renderDeadLetter(
  { letter, now }: { readonly letter: DeadLetter; readonly now: Date },
  operator: Operator,
  notice: string | null,
): string {
  const isOpen = letter.replayedAt === null;
  const [bookingId, connectionId] = letter.kind === 'outbound_sync' ? letter.subject.split(':') : [];
  return page(
    { title: 'Dead letter', place: 'dead-letters', operator, notice },
    html`<p class="crumbs"><a href="/dead-letters">Dead letters</a></p>
    <div class="head"><h1>Dead letter <code>${letter.id.slice(0, 8)}</code></h1></div>
    <div class="panel"><p class="verdict">${isOpen ? badge('warn', 'open') : badge('good', 'replayed')} <span>${KINDS[letter.kind].charAt(0).toUpperCase()}${KINDS[letter.kind].slice(1)}.</span></p>
      <dl class="facts"><div><dt>reason</dt><dd>${letter.reason}</dd></div><div><dt>since</dt><dd>${ago(letter.createdAt, now)}</dd></div>
        ${bookingId !== undefined && html`<div><dt>booking</dt><dd><code>${bookingId}</code></dd></div>`}
        ${connectionId !== undefined && html`<div><dt>connection</dt><dd><a href="/connections/${connectionId}"><code>${connectionId}</code></a></dd></div>`}</dl>
      <h2>What it holds</h2><p class="soft">Its shape, ids, times and numbers. Titles, notes, names and addresses are hidden.</p>
      <pre tabindex="0" aria-label="Payload without personal data">${JSON.stringify(hidePersonal(letter.payload), null, 2)}</pre>
      ${isOpen && operator.mayChange ? buttons(letter) : null}</div>`,
  );
}

function buttons(letter: DeadLetter): Html {
  const at = `/dead-letters/${letter.id}`;
  if (letter.kind !== 'held_deletions') return action({ to: `${at}/replay`, label: 'Replay', isMain: true });
  return html`${action({ to: `${at}/restore`, label: 'Write the events again', isMain: true })}
    ${action({ to: `${at}/replay`, label: 'Report them as deleted', isMain: false })}`;
}
