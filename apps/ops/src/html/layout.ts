import type { Operator } from '../access/login.ts';
import { type Html, type HtmlPart, html } from './html.ts';

export interface PageFrame {
  readonly title: string;
  /** Which item of the navigation this page is; null for none. */
  readonly place: 'fleet' | 'connections' | 'dead-letters' | 'switches' | 'runbooks' | null;
  readonly operator: Operator;
  /** What an action just did, for a line on top. */
  readonly notice?: string | null;
  /** Further scripts and sheets, by address. */
  readonly scripts?: readonly string[];
  readonly sheets?: readonly string[];
}

const PLACES = [
  ['fleet', '/', 'Fleet'],
  ['connections', '/connections', 'Connections'],
  ['dead-letters', '/dead-letters', 'Dead letters'],
  ['switches', '/switches', 'Switches'],
  ['queues', '/queues', 'Queues'],
  ['runbooks', '/runbooks', 'Runbooks'],
] as const;

/** The frame of every page behind the login. */
export function page(frame: PageFrame, body: HtmlPart): string {
  const { operator, place } = frame;
  return document(
    frame,
    html`<a class="skip" href="#main">Skip to content</a>
    <header class="top"><a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="22" height="22">Calendar Sync</a>
      <nav aria-label="Main"><ul>${PLACES.map(
        ([id, to, title]) =>
          html`<li><a href="${to}"${id === place ? html` aria-current="page"` : null}>${title}</a></li>`,
      )}</ul></nav>
      <span class="who">${operator.name}${operator.mayChange ? null : html` <span class="badge off">read-only</span>`}</span>
      <form method="post" action="/logout"><button class="quiet">Log out</button></form></header>
    <main id="main" tabindex="-1">
      <p id="notice" role="status" class="notice">${frame.notice ?? null}</p>
      ${body}</main>`,
  );
}

/** A page without navigation, for the login. */
export function bareDocument(title: string, body: HtmlPart): string {
  return document({ title }, body);
}

function document(frame: Pick<PageFrame, 'title' | 'scripts' | 'sheets'>, body: HtmlPart): string {
  const sheets: readonly string[] = ['/assets/console.css', ...(frame.sheets ?? [])];
  const scripts: readonly string[] = ['/assets/console.js', ...(frame.scripts ?? [])];
  const text: Html = html`<html lang="en"><head><meta charset="utf-8"><title>${frame.title} · Calendar Sync</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
${sheets.map((sheet) => html`<link rel="stylesheet" href="${sheet}">`)}
${scripts.map((script) => html`<script src="${script}" defer></script>`)}</head><body>${body}</body></html>`;
  return `<!doctype html>\n${text.text}\n`;
}
