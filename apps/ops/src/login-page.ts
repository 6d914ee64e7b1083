import { page } from './page.ts';

/** The form with one password field. */
export function renderLogin(wasRefused: boolean): string {
  return page(
    'Log in',
    `<main class="narrow"><h1>Calendar Sync</h1>
      <form method="post" action="/login">
        <label for="password">Ops token</label>
        <input id="password" name="password" type="password" autocomplete="current-password" autofocus required>
        ${wasRefused ? '<p role="alert" class="bad">That token is not known here.</p>' : ''}
        <button type="submit">Log in</button>
      </form></main>`,
  );
}
