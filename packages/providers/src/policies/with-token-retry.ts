import { ProviderError } from '../contract/index.ts';
import type { Policy } from './policy.ts';

/**
 * Repeats a call once whose access token was refused. The adapter has told the token source by then, so the repeat goes
 * out with a fresh token; a second refusal is the truth. Repeating a write is safe: a refused token proves that nothing
 * was done. A refresh that was refused is never repeated.
 */
export function withTokenRetry(): Policy {
  return async (call, next) => {
    try {
      return await next(call.signal);
    } catch (error) {
      if (!isRefusedToken(error) || call.signal.aborted) throw error;
      return next(call.signal);
    }
  };
}

function isRefusedToken(error: unknown): boolean {
  return (
    error instanceof ProviderError &&
    error.kind === 'auth_revoked' &&
    error.status === 401 &&
    error.operation !== 'refresh_token'
  );
}
