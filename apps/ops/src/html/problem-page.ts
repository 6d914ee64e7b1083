import type { Operator } from '../access/login.ts';
import { type Html, html } from './html.ts';
import { bareDocument, page } from './layout.ts';

const TITLES: Readonly<Record<number, string>> = {
  400: 'That could not be read',
  401: 'Please log in',
  403: 'That is not allowed here',
  404: 'There is nothing here',
  429: 'Too many wrong tokens',
};

/** An error as a page: what happened in a sentence, and the way back. */
export function renderProblem(problem: {
  readonly status: number;
  readonly message: string;
  /** Null for whoever is not logged in. */
  readonly operator: Operator | null;
}): string {
  const { status, message, operator } = problem;
  const title = TITLES[status] ?? 'Something went wrong';
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  const body = (way: Html) => html`<h1>${title}</h1><p>${sentence}</p>${way}`;
  if (operator === null) {
    return bareDocument(title, html`<main class="door">${body(html`<p><a href="/login">Log in</a></p>`)}</main>`);
  }
  const way = html`<p><a href="/">The fleet</a> · <a href="/connections">Connections</a> · <a href="/dead-letters">Dead letters</a></p>`;
  return page({ title, place: null, operator }, html`<div class="problem-page panel prose">${body(way)}</div>`);
}
