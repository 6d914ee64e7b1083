/** Where Microsoft is and who asks. Everything unset has Microsoft's own value. */
export interface MicrosoftOptions {
  /** Graph's base, without `/v1.0`. */
  readonly graphBaseUrl?: string | undefined;
  /** The login service's base, without `/{tenant}/oauth2/v2.0`. */
  readonly loginBaseUrl?: string | undefined;
  /** `common`, `organizations`, `consumers` or a tenant's id. */
  readonly tenant?: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Events per page of the change feed. They carry bodies whether wanted or not, so a page is kept small. */
  readonly pageSize?: number | undefined;
  /** The clock that `Retry-After` dates and the end of a channel are measured against. */
  readonly now?: (() => Date) | undefined;
}

export interface ResolvedOptions {
  /** Without a slash at its end. */
  readonly graphBaseUrl: string;
  /** `{login}/{tenant}/oauth2/v2.0`. */
  readonly oauthUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly fetch: typeof globalThis.fetch;
  readonly pageSize: number;
  readonly now: () => Date;
}

export function resolveOptions(options: MicrosoftOptions): ResolvedOptions {
  const login = withoutSlash(options.loginBaseUrl ?? 'https://login.microsoftonline.com');
  return {
    graphBaseUrl: withoutSlash(options.graphBaseUrl ?? 'https://graph.microsoft.com'),
    oauthUrl: `${login}/${encodeURIComponent(options.tenant ?? 'common')}/oauth2/v2.0`,
    clientId: options.clientId,
    clientSecret: options.clientSecret,
    fetch: options.fetch ?? globalThis.fetch,
    pageSize: options.pageSize ?? 100,
    now: options.now ?? (() => new Date()),
  };
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
