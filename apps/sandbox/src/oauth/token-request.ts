import type { Answer } from '../answer.ts';
import type { Call } from '../endpoint.ts';
import type { Provider } from '../provider.ts';
import type { SandboxState } from '../state.ts';
import type { OAuthClient } from './clients.ts';

/** RFC 6749 §5.2. */
export function oauthError(status: number, error: string, description: string): Answer {
  return { status, json: { error, error_description: description }, headers: { 'cache-control': 'no-store' } };
}

/** The client by the form's fields or by HTTP Basic. @returns null when it is not who it says. */
export function readClient(
  state: SandboxState,
  provider: Provider,
  call: Call,
  form: URLSearchParams,
): OAuthClient | null {
  const basic = /^Basic (.+)$/i.exec(call.header('authorization') ?? '')?.[1];
  const pair = basic === undefined ? null : Buffer.from(basic, 'base64').toString('utf8');
  const at = pair?.indexOf(':') ?? -1;
  const clientId = pair === null ? form.get('client_id') : decodeURIComponent(pair.slice(0, at));
  const secret = pair === null ? form.get('client_secret') : decodeURIComponent(pair.slice(at + 1));
  if (clientId === null || clientId === '' || secret === null || secret === '') return null;
  return state.clients.authenticate(provider, clientId, secret);
}
