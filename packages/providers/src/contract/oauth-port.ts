import type { CalendarProvider } from './calendar-provider.ts';

/** The OAuth side of one calendar provider. The methods that ask it throw `ProviderError` and nothing else. */
export interface OAuthPort {
  readonly calendarProvider: CalendarProvider;

  /** Where the browser is sent. PKCE is always S256. */
  authorizationUrl(request: AuthorizationRequest): string;

  /** Trades the code for tokens. A refused or reused code is `permanent`/`invalid_grant`. */
  exchangeCode(request: CodeExchange, signal: AbortSignal): Promise<TokenGrant>;

  /** A new access token. A dead grant is `auth_revoked`; anything unclear is `transient`. */
  refresh(refreshToken: string, signal: AbortSignal): Promise<TokenGrant>;

  /** Ends the grant at the provider where it can be ended (Google). What is ended already is success. */
  revoke(refreshToken: string, signal: AbortSignal): Promise<void>;

  /** The scopes without which the product cannot work that are missing from `granted`; empty when all is there. */
  missingScopes(granted: readonly string[]): readonly string[];

  /**
   * Who granted, by the `id_token`; what that leaves out is asked of the provider (Google: the primary calendar, Microsoft:
   * `/me`). A member is null where neither says, also where the provider refuses; thrown is only that it gave no answer.
   */
  identify(grant: TokenGrant, signal: AbortSignal): Promise<AccountIdentity>;
}

export interface AuthorizationRequest {
  readonly state: string;
  readonly codeChallenge: string;
  readonly redirectUri: string;
}

export interface CodeExchange {
  readonly code: string;
  readonly codeVerifier: string;
  readonly redirectUri: string;
}

export interface TokenGrant {
  readonly accessToken: string;
  /** Null when the answer had none: keep the one that is stored. */
  readonly refreshToken: string | null;
  readonly expiresInSeconds: number;
  readonly scopes: readonly string[];
  readonly idToken: string | null;
}

export interface AccountIdentity {
  /** The provider's stable id of the account (`sub`, `oid`). */
  readonly accountId: string | null;
  readonly email: string | null;
}
