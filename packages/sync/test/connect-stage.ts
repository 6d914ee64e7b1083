/** A booking stage whose provider has yet to connect the calendar, and may do so again and again. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { CalendarProvider, OAuthPort } from '@bookiji/providers/contract';
import type { TestDatabase } from '@bookiji/testing';
import { type ConnectOutcome, connectionIdOf, connectProvider } from '../src/connections/connect-provider.ts';
import { type BookingStage, never, openBookingStage } from './booking-stage.ts';

export interface ConnectStage extends BookingStage {
  /** The provider consents: with the account `mine`, unless another of theirs is named. */
  connect(accountId?: string): Promise<ConnectOutcome>;
}

const KEYS = [{ id: 'k1', key: randomBytes(32) }];

export function openConnectStage(database: TestDatabase, calendarProvider: CalendarProvider): ConnectStage {
  const providerId = randomUUID();
  const connection = { id: connectionIdOf(providerId, calendarProvider), providerId, calendarProvider };
  // The very object, so that a calendar put in the place of another is seen by all.
  return Object.assign(openBookingStage(database, connection), {
    connect(accountId = 'mine') {
      const deps = { db: database.db, keys: KEYS, oauth: grantingTo(accountId, calendarProvider) };
      const consent = { providerId, calendarProvider, code: 'c', codeVerifier: 'v', redirectUri: 'u' };
      return connectProvider(deps, consent, never);
    },
  });
}

/** Takes any code, and gives all that the product asks for. */
function grantingTo(accountId: string, calendarProvider: CalendarProvider): OAuthPort {
  const grant = { accessToken: 'a', refreshToken: 'r', expiresInSeconds: 3_600, scopes: [] };
  return {
    calendarProvider,
    exchangeCode: async () => grant,
    missingScopes: () => [],
    identify: async () => ({ accountId, email: null }),
  } as unknown as OAuthPort;
}
