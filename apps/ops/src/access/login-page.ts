import { html } from '../html/html.ts';
import { bareDocument } from '../html/layout.ts';

/**
 * The form. One password field; a name is asked for so that the operator log can say more than which token it was.
 *
 * @param form `to` is the path that is shown afterwards.
 */
export function renderLogin({ problem, to }: { readonly problem: string | null; readonly to: string }): string {
  return bareDocument(
    'Log in',
    html`<main class="door"><img src="/assets/icon.svg" alt="" width="48" height="48"><h1>Calendar Sync</h1>
      <p class="soft">The operators’ console</p>
      <form method="post" action="/login" class="stack">
        ${to !== '/' && html`<input type="hidden" name="to" value="${to}">`}
        ${problem !== null && html`<p role="alert" class="problem">${problem}</p>`}
        <label for="password">Ops token</label>
        <input id="password" name="password" type="password" autocomplete="current-password" autofocus required>
        <label for="name">Your name <span class="soft">(optional, for the operator log)</span></label>
        <input id="name" name="name" maxlength="40" autocomplete="nickname">
        <button class="main">Log in</button>
      </form></main>`,
  );
}
