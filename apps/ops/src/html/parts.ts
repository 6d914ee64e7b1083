/** The pieces that pages are made of. */
import { type Html, type HtmlPart, html } from './html.ts';

/** How something is: said by word and shape as well as by colour. */
export type Tone = 'good' | 'warn' | 'bad' | 'off' | 'busy';

const SIGNS: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '■', off: '○', busy: '◆' };

export function badge(tone: Tone, text: string): Html {
  return html`<span class="badge ${tone}"><span aria-hidden="true">${SIGNS[tone]}</span> ${text}</span>`;
}

export function card(title: string, figure: HtmlPart, note: HtmlPart, tone: Tone = 'off'): Html {
  return html`<div class="card ${tone}"><h3>${title}</h3><p class="figure">${figure}</p><p class="note">${note}</p></div>`;
}

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

/**
 * A table with a caption for those who cannot see it; `empty` stands where there are no rows. On a narrow screen each row
 * becomes a block with the columns' titles beside their values, unless the table is said to be small enough as it is. The
 * roles are spelled out because a table laid out as blocks loses them.
 */
export function table(options: {
  readonly caption: string;
  readonly isSmall?: boolean;
  readonly columns: readonly (string | Column)[];
  readonly rows: readonly (readonly HtmlPart[])[];
  readonly empty: string;
}): Html {
  if (options.rows.length === 0) return html`<p class="empty">${options.empty}</p>`;
  const columns = options.columns.map((column) => (typeof column === 'string' ? { title: column } : column));
  const kind = (index: number) => (columns[index]?.isNumber === true ? 'number' : '');
  const title = (index: number) => columns[index]?.title ?? '';
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${options.caption}"><table role="table" class="${options.isSmall === true ? 'small' : 'stacks'}">
    <caption class="hidden">${options.caption}</caption>
    <thead role="rowgroup"><tr role="row">${columns.map((column, index) => html`<th role="columnheader" scope="col" class="${kind(index)}">${column.title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${options.rows.map((row) => html`<tr role="row">${row.map((cell, index) => html`<td role="cell" class="${kind(index)}" data-title="${title(index)}"><div>${cell}</div></td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** A section with its heading as its name. `id` is where links and the refresh find it. */
export function section(id: string, title: string, body: HtmlPart, more: HtmlPart = null): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title" class="panel" data-live>
    <header class="panel-head"><h2 id="${id}-title">${title}</h2>${more}</header>${body}</section>`;
}

/** One change as a form: a button, with a field for the reason where one is asked for. */
export function action(options: {
  readonly to: string;
  readonly label: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly reasonFor?: string;
  readonly isDanger?: boolean;
  readonly isMain?: boolean;
}): Html {
  const { to, label, fields = {}, reasonFor } = options;
  const kind = options.isDanger === true ? 'danger' : options.isMain === true ? 'main' : '';
  return html`<form method="post" action="${to}" class="action">
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
    ${
      reasonFor !== undefined &&
      html`<input name="reason" required maxlength="300" aria-label="Reason: ${reasonFor}" placeholder="Why?" autocomplete="off">`
    }
    <button class="${kind}">${label}</button></form>`;
}

export function shortId(id: string): Html {
  return html`<code title="${id}">${id.slice(0, 8)}</code>`;
}
