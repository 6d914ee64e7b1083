import { calendar_v3 } from '@googleapis/calendar';
import { type AccountIdentity, isRecord, ProviderError, type TokenGrant } from '../contract/index.ts';
import { openGoogleCalendar } from './google-calendar.ts';
import type { ResolvedApiOptions } from './options.ts';

/**
 * Who an `id_token` says granted. Pure.
 *
 * Only its payload is read: it came straight from Google's token endpoint over TLS, which proves as much as its signature
 * would. An `id_token` from anywhere else must not be given to this function.
 * https://developers.google.com/identity/openid-connect/openid-connect#obtainuserinfo
 */
export function readIdToken(idToken: string | null): AccountIdentity {
  const claims = decodePayload(idToken?.split('.')[1] ?? '');
  return { accountId: textOf(claims.sub), email: textOf(claims.email) };
}

/**
 * Who granted: by the `id_token`, else by the id of the primary calendar, which is the account's address. The second way
 * needs a scope that is not asked for, so it is for grants that hold more than that; a refusal means nobody knows.
 */
export async function identifyAccount(
  grant: TokenGrant,
  options: ResolvedApiOptions,
  signal: AbortSignal,
): Promise<AccountIdentity> {
  const identity = readIdToken(grant.idToken);
  if (identity.email !== null) return identity;
  return { accountId: identity.accountId, email: await readPrimaryAddress(grant.accessToken, options, signal) };
}

async function readPrimaryAddress(
  accessToken: string,
  options: ResolvedApiOptions,
  signal: AbortSignal,
): Promise<string | null> {
  const tokens = { accessToken: async () => accessToken, rejected: () => undefined };
  const client = new calendar_v3.Calendar({});
  const calendar = openGoogleCalendar(client, { calendarId: 'primary', tokens }, options);
  try {
    const primary = await calendar.call(
      {
        operation: 'describe_calendar',
        send: (call) => client.calendars.get({ calendarId: 'primary', fields: 'id' }, call),
      },
      signal,
    );
    return primary.id?.includes('@') ? primary.id : null;
  } catch (error) {
    if (error instanceof ProviderError && error.kind !== 'transient' && error.kind !== 'rate_limited') return null;
    throw error;
  }
}

function decodePayload(payload: string): Record<string, unknown> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
