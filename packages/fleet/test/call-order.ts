import type { CalendarProvider, CreationKey } from '@bookiji/providers/contract';

/** What a caller process is told to do. */
export interface CallOrder {
  readonly workers: number;
  /** Of each worker, one after the other. */
  readonly calls: number;
  readonly databaseUrl: string;
  readonly sandboxUrl: string;
  /** Of 32 bytes, base64. */
  readonly key: string;
  readonly timeoutMs: number;
  readonly connection: { readonly id: string; readonly calendarProvider: CalendarProvider };
  /** Of an event that is not there: one cheap request. */
  readonly missing: CreationKey;
}

export function providerSettings(sandboxUrl: string) {
  return {
    GOOGLE_CLIENT_ID: 'app',
    GOOGLE_CLIENT_SECRET: 'secret',
    GOOGLE_API_BASE_URL: sandboxUrl,
    GOOGLE_AUTHORIZE_URL: `${sandboxUrl}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${sandboxUrl}/token`,
    GOOGLE_REVOKE_URL: `${sandboxUrl}/revoke`,
    MICROSOFT_CLIENT_ID: 'app',
    MICROSOFT_CLIENT_SECRET: 'secret',
    MICROSOFT_TENANT: 'common',
    MICROSOFT_GRAPH_BASE_URL: sandboxUrl,
    MICROSOFT_LOGIN_BASE_URL: sandboxUrl,
  };
}
