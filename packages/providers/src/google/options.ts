/** Where Google is and who asks. Everything unset has Google's own value. */
export interface GoogleOptions {
  /** Ends before `/calendar/v3`; may have a path of its own. */
  readonly apiBaseUrl?: string | undefined;
  readonly authorizeUrl?: string | undefined;
  readonly tokenUrl?: string | undefined;
  readonly revokeUrl?: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The clock that `Retry-After` dates and the life of a channel are measured against. */
  readonly now?: (() => Date) | undefined;
}

/** The part of the options that the calendar itself needs. */
export type GoogleApiOptions = Pick<GoogleOptions, 'apiBaseUrl' | 'fetch' | 'now'>;

export interface ResolvedApiOptions {
  /** With one slash at its end, as Google's client wants it. */
  readonly rootUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
}

export function resolveApiOptions(options: GoogleApiOptions): ResolvedApiOptions {
  return {
    rootUrl: `${(options.apiBaseUrl ?? 'https://www.googleapis.com').replace(/\/+$/, '')}/`,
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? (() => new Date()),
  };
}

export interface ResolvedOAuthOptions {
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly revokeUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
}

export function resolveOAuthOptions(options: GoogleOptions): ResolvedOAuthOptions {
  return {
    authorizeUrl: options.authorizeUrl ?? 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: options.tokenUrl ?? 'https://oauth2.googleapis.com/token',
    revokeUrl: options.revokeUrl ?? 'https://oauth2.googleapis.com/revoke',
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? (() => new Date()),
  };
}
