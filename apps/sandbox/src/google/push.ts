/** What Google's channels deliver. developers.google.com/workspace/calendar/api/guides/push. */
import { randomInt } from 'node:crypto';
import type { CommittedChange } from '../calendars/edit-event.ts';
import type { Parcel } from '../notifications/courier.ts';
import type { SandboxState } from '../state.ts';
import type { GoogleChannel } from './channels.ts';

const ACCEPTED = new Set([200, 201, 202, 204, 102]);
/** These are tried again; every other status is a failed message. Status 0: nobody answered. */
const RETRIED = new Set([500, 502, 503, 504, 0]);

export function pushSync(state: SandboxState, channel: GoogleChannel): void {
  channel.messageNumber = 1;
  push(state, channel, 'sync');
}

/** `exists` stands for creation, change and deletion alike, one's own writes included. */
export function pushChange(state: SandboxState, { store }: CommittedChange): void {
  const now = state.clock.now();
  for (const channel of state.googleChannels.of(store)) {
    if (channel.expiresAtMs <= now) continue;
    // Numbers grow, but are not consecutive.
    channel.messageNumber += randomInt(1, 2000);
    push(state, channel, 'exists');
  }
}

function push(state: SandboxState, channel: GoogleChannel, kind: 'sync' | 'exists'): void {
  const messageNumber = channel.messageNumber;
  const parcel: Parcel = {
    provider: 'google',
    channels: [channel.id],
    kind,
    url: channel.address,
    headers: headersOf(channel, kind),
    body: '',
    isAccepted: (status) => ACCEPTED.has(status),
    isRetried: (status) => RETRIED.has(status),
  };
  const target = { provider: 'google', channel: channel.id, user: channel.email, kind } as const;
  const fate = state.notificationFaults.pass(target, () => {
    state.courier.send(parcel, { messageNumber });
  });
  if (fate === 'drop' || fate === 'silenced') state.courier.noteUnsent(parcel, fate, { messageNumber });
}

function headersOf(channel: GoogleChannel, resourceState: 'sync' | 'exists'): Record<string, string> {
  return {
    accept: '*/*',
    'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
    'x-goog-channel-id': channel.id,
    'x-goog-channel-expiration': new Date(channel.expiresAtMs).toUTCString(),
    'x-goog-resource-state': resourceState,
    'x-goog-message-number': String(channel.messageNumber),
    'x-goog-resource-id': channel.resourceId,
    'x-goog-resource-uri': channel.resourceUri,
    ...(channel.token === null ? {} : { 'x-goog-channel-token': channel.token }),
  };
}
