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
  SyncWindow,
  Tombstone,
  UnreadableItem,
} from './change.ts';
export { nameConnectionFailure, readRetryAfter } from './connection-failure.ts';
export {
  ERROR_KINDS,
  type ErrorKind,
  type Operation,
  OURS_TO_MEND,
  ProviderError,
  type ProviderErrorFacts,
} from './errors.ts';
export { isRecord } from './is-record.ts';
export type {
  AccountIdentity,
  AuthorizationRequest,
  OAuthPort,
  TokenGrant,
} from './oauth-port.ts';
export { type OwnErrorFacts, ownError } from './own-error.ts';
