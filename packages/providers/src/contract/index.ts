export type {
  AroundRequest,
  CalendarAdapter,
  CalendarPort,
  CalendarSession,
  ChannelHandle,
  CreationKey,
  EventDraft,
  EventReading,
  EventTarget,
  ListChangesRequest,
  ListedChannel,
  OpenChannelRequest,
  OpenedChannel,
  RemoteEvent,
  TokenSource,
  WrittenEvent,
} from './calendar-port.ts';
export { CALENDAR_PROVIDERS, type CalendarProvider, WINDOW_DAYS_AT_MOST } from './calendar-provider.ts';
export type {
  BookingMarker,
  Change,
  ChangePage,
  EventChange,
  SeriesReset,
  SyncWindow,
  Tombstone,
  UnreadableItem,
} from './change.ts';
export { type ConnectionFailure, nameConnectionFailure, readRetryAfter } from './connection-failure.ts';
export {
  ERROR_KINDS,
  type ErrorKind,
  OPERATIONS,
  type Operation,
  ProviderError,
  type ProviderErrorFacts,
} from './errors.ts';
export type {
  AccountIdentity,
  AuthorizationRequest,
  CodeExchange,
  OAuthPort,
  TokenGrant,
} from './oauth-port.ts';
