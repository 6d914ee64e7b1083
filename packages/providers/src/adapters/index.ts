/** The only list of calendar providers: a new one is a new folder and a line here. */
import type { CalendarAdapter, CalendarProvider, OAuthPort } from '../contract/index.ts';
import { createGoogleAdapter, createGoogleOAuth } from '../google/index.ts';
import { createMicrosoftAdapter, createMicrosoftOAuth } from '../microsoft/index.ts';

/** Where the calendar providers are and who we are there, by the names of the environment. */
export interface ProviderSettings {
  readonly GOOGLE_CLIENT_ID: string;
  readonly GOOGLE_CLIENT_SECRET: string;
  readonly GOOGLE_API_BASE_URL: string;
  readonly GOOGLE_AUTHORIZE_URL: string;
  readonly GOOGLE_TOKEN_URL: string;
  readonly GOOGLE_REVOKE_URL: string;
  readonly MICROSOFT_CLIENT_ID: string;
  readonly MICROSOFT_CLIENT_SECRET: string;
  readonly MICROSOFT_TENANT: string;
  readonly MICROSOFT_GRAPH_BASE_URL: string;
  readonly MICROSOFT_LOGIN_BASE_URL: string;
}

/** One calendar provider: its calendars and its OAuth. */
export interface ProviderEdge {
  readonly adapter: CalendarAdapter;
  readonly oauth: OAuthPort;
}

export function createProviderEdges(settings: ProviderSettings): Record<CalendarProvider, ProviderEdge> {
  const google = {
    apiBaseUrl: settings.GOOGLE_API_BASE_URL,
    authorizeUrl: settings.GOOGLE_AUTHORIZE_URL,
    tokenUrl: settings.GOOGLE_TOKEN_URL,
    revokeUrl: settings.GOOGLE_REVOKE_URL,
    clientId: settings.GOOGLE_CLIENT_ID,
    clientSecret: settings.GOOGLE_CLIENT_SECRET,
  };
  const microsoft = {
    graphBaseUrl: settings.MICROSOFT_GRAPH_BASE_URL,
    loginBaseUrl: settings.MICROSOFT_LOGIN_BASE_URL,
    tenant: settings.MICROSOFT_TENANT,
    clientId: settings.MICROSOFT_CLIENT_ID,
    clientSecret: settings.MICROSOFT_CLIENT_SECRET,
  };
  return {
    google: { adapter: createGoogleAdapter(google), oauth: createGoogleOAuth(google) },
    microsoft: { adapter: createMicrosoftAdapter(microsoft), oauth: createMicrosoftOAuth(microsoft) },
  };
}
