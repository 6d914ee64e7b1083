/**
 * Proves that an address belongs to the subscriber.
 * See learn.microsoft.com/graph/change-notifications-delivery-webhooks.
 */
import { randomUUID } from 'node:crypto';
import type { SandboxState } from '../state.ts';
import { refuse } from './errors.ts';

/** POSTs a token and wants it back, decoded, as plain text with 200, within ten seconds. */
export async function checkAddress(state: SandboxState, address: string): Promise<void> {
  const token = `Validation: Testing client application reachability for subscription Request-Id: ${randomUUID()}`;
  const url = new URL(address);
  // Spaces as `+` and colons as `%3A`, which a decoder for forms understands.
  const query = new URLSearchParams({ validationToken: token }).toString();
  url.search = url.search === '' ? query : `${url.search.slice(1)}&${query}`;
  const problem = await tryAddress(url, token, state.settings.notifications.timeout_ms);
  if (problem === null) return;
  throw refuse(400, 'ValidationError', `Subscription validation request failed. ${problem}`);
}

async function tryAddress(url: URL, token: string, timeoutMs: number): Promise<string | null> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: '',
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const body = await response.text();
    const type = response.headers.get('content-type') ?? '';
    if (response.status !== 200) return 'Notification endpoint must respond with 200 OK to validation request.';
    if (!/^text\/plain\b/i.test(type)) return 'The content type of the validation response must be text/plain.';
    return body === token ? null : 'The validation response does not hold the validation token.';
  } catch {
    return 'The request timed out or the endpoint could not be reached.';
  }
}
