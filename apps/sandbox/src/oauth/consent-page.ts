import { escapeHtml } from '@bookiji/runtime';
import { type Answer, html } from '../answer.ts';
import type { Call } from '../endpoint.ts';
import type { Provider } from '../provider.ts';
import type { SandboxState } from '../state.ts';
import type { AuthorizationRequest } from './authorization.ts';

const NAMES: Readonly<Record<Provider, string>> = { google: 'Google', microsoft: 'Microsoft' };

/** Where a person chooses an account, unticks what they do not want to grant, and decides. */
export function consentPage(
  state: SandboxState,
  provider: Provider,
  request: AuthorizationRequest,
  call: Call,
): string {
  const known = state.directory.accounts().filter((account) => account.provider === provider);
  const wanted = request.loginHint?.toLowerCase() ?? known[0]?.email;
  const accounts = known.map(
    ({ email }) =>
      `<label><input type="radio" name="sandbox_user" value="${escapeHtml(email)}"${
        email === wanted ? ' checked' : ''
      }> ${escapeHtml(email)}</label>`,
  );
  const scopes = request.scopes.map(
    (scope) =>
      `<label><input type="checkbox" name="sandbox_scope" value="${escapeHtml(scope)}" checked> <code>${escapeHtml(scope)}</code></label>`,
  );
  const action = escapeHtml(`${call.path}?${call.query.toString()}`);
  return page(
    `Sign in to the ${NAMES[provider]} sandbox`,
    `<p><strong>${escapeHtml(request.clientId)}</strong> would like to use your calendar.</p>
    <form method="post" action="${action}">
      <fieldset><legend>Account</legend>${accounts.join('')}
        <label>Another one <input type="email" name="sandbox_new_user" placeholder="someone@example.com"></label>
      </fieldset>
      <fieldset><legend>It may</legend>${scopes.join('')}</fieldset>
      <p class="actions"><button name="sandbox_decision" value="deny" formnovalidate>Cancel</button>
      <button class="main" name="sandbox_decision" value="allow">Allow</button></p>
    </form>`,
  );
}

export function errorPage(provider: Provider, error: string): Answer {
  const body = `<p>The ${NAMES[provider]} sandbox cannot go on: <code>${escapeHtml(error)}</code></p>`;
  return html(400, page('Access blocked', body));
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #eef1f6; color: #1c2430;
    font: 15px/1.5 system-ui, "Liberation Sans", sans-serif; }
  main { width: min(28rem, calc(100vw - 4rem)); background: #fff; padding: 2rem; border-radius: 12px;
    box-shadow: 0 1px 3px #0002, 0 8px 30px #0001; }
  h1 { font-size: 1.3rem; margin: 0 0 .5rem; } code { font-size: .8rem; overflow-wrap: anywhere; }
  fieldset { border: 1px solid #d7dde6; border-radius: 8px; margin: 1rem 0; padding: .75rem 1rem; }
  legend { font-weight: 600; padding: 0 .4rem; } label { display: block; padding: .2rem 0; }
  .actions { display: flex; justify-content: flex-end; gap: .5rem; margin: 1.5rem 0 0; }
  button { font: inherit; padding: .5rem 1.2rem; border-radius: 8px; border: 1px solid #c3ccd9; background: #fff; cursor: pointer; }
  button.main { background: #2456c8; border-color: #2456c8; color: #fff; }
  input[type=email] { font: inherit; padding: .2rem .4rem; margin-left: .4rem; }
</style>
<main><h1>${escapeHtml(title)}</h1>${body}</main></html>`;
}
