import { isRecord, nameConnectionFailure, ProviderError } from '../contract/index.ts';
import { classifyOAuthError, type OAuthFailure, type OAuthOperation } from './classify-oauth-error.ts';
import type { ResolvedOAuthOptions } from './options.ts';

/** One form post to Google's OAuth. Errors carry Google's word for it, and nothing of what was sent or answered. */
export async function postForm(
  operation: OAuthOperation,
  url: string,
  form: Readonly<Record<string, string>>,
  options: ResolvedOAuthOptions,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const fail = (facts: Partial<OAuthFailure>): ProviderError =>
    new ProviderError(classifyOAuthError({ ...nothing, operation, ...facts }, options.now()), {
      cause: { words: facts.error ? [facts.error] : [] },
    });
  let response: Response;
  let text: string;
  try {
    response = await options.fetch(url, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { accept: 'application/json' },
      // A redirect would carry the secret away.
      redirect: 'manual',
      signal,
    });
    text = await response.text();
  } catch (error) {
    throw fail({ reason: nameConnectionFailure(error, signal).reason });
  }
  const body = parseObject(text);
  if (!response.ok) {
    const retryAfter = response.headers.get('retry-after');
    throw fail({ status: response.status, error: wordOf(body?.error), retryAfter });
  }
  // The revocation endpoint answers with an empty object, or with nothing.
  if (body === null && operation !== 'revoke_token')
    throw fail({ status: response.status, reason: 'unreadable_answer' });
  return body ?? {};
}

const nothing = { status: null, error: null, retryAfter: null, reason: null };

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

/** A word, not a sentence: it becomes the `reason`, which is logged, stored and a label. */
function wordOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\w.-]{1,64}$/.test(value) ? value : null;
}
