import { ProviderError, type TokenSource } from '../contract/index.ts';
import type { Policy } from './wrap-port.ts';

/**
 * A refused access token earns one refresh and one repetition; a second refusal is what it says: the grant is dead.
 * Only a 401 is meant; a grant that lacks a scope is not cured by a fresh token.
 */
export function withTokenRetry(tokens: TokenSource): Policy {
  return async ({ signal }, next) => {
    const token = await tokens.accessToken(signal);
    try {
      return await next(signal);
    } catch (error) {
      if (!(error instanceof ProviderError && error.kind === 'auth_revoked' && error.status === 401)) throw error;
      tokens.rejected(token);
      return next(signal);
    }
  };
}
