/** What happened: history, requests, notifications, mails, channels. */
import { describeEntry } from '../history.ts';
import type { SandboxState } from '../state.ts';
import type { AdminCall } from './admin-answer.ts';

/** `?calendar_provider=&calendar=<email>&event_id=&after=<sequence>&author=owner|client&limit=` */
export function showHistory(state: SandboxState, call: AdminCall) {
  const { query } = call;
  const after = Number(query.get('after') ?? 0);
  const limit = Number(query.get('limit') ?? 1_000_000);
  const provider = query.get('calendar_provider');
  const email = query.get('calendar')?.toLowerCase() ?? null;
  const author = query.get('author');
  const eventId = query.get('event_id');
  const entries = [];
  for (const entry of state.history.entries()) {
    if (entry.sequence <= after) continue;
    if (provider !== null && entry.provider !== provider) continue;
    if (email !== null && entry.ownerEmail !== email && entry.calendarId !== email) continue;
    if (author !== null && entry.author.kind !== author) continue;
    const shown = describeEntry(entry);
    if (eventId !== null && shown.event_id !== eventId) continue;
    if (entries.length === limit) break;
    entries.push(shown);
  }
  return { last_sequence: state.history.sequence, entries };
}

/** `?operation=&recent=<n>` */
export function showRequests(state: SandboxState, call: AdminCall) {
  const operation = call.query.get('operation');
  const counts = state.requests.counts().filter((count) => operation === null || count.operation === operation);
  const recent = state.requests.recent().filter((note) => operation === null || note.operation === operation);
  return {
    counts,
    total: counts.reduce((sum, { count }) => sum + count, 0),
    peak_concurrency: state.requests.peaks(),
    recent: recent.slice(-Number(call.query.get('recent') ?? 100)),
  };
}

export function clearRequests(state: SandboxState): void {
  state.requests.clear();
}

/** `?channel=&kind=&limit=` */
export function showNotifications(state: SandboxState, call: AdminCall) {
  const channel = call.query.get('channel');
  const kind = call.query.get('kind');
  const notifications = state.courier
    .deliveries()
    .filter((delivery) => channel === null || delivery.channels.includes(channel))
    .filter((delivery) => kind === null || delivery.kind === kind);
  const limit = Number(call.query.get('limit') ?? notifications.length);
  return {
    pending: state.courier.pending,
    totals: state.courier.totals(),
    notifications: limit === 0 ? [] : notifications.slice(-limit),
  };
}

export function showMail(state: SandboxState) {
  return { count: state.mail.count(), mails: state.mail.list() };
}

/** Google's channels and Graph's subscriptions. */
export function showChannels(state: SandboxState) {
  const now = state.clock.now();
  state.googleChannels.dropExpired(now);
  state.subscriptions.dropExpired(now);
  const channels = state.googleChannels.list().map((channel) => ({
    calendar_provider: 'google',
    channel_id: channel.id,
    resource_id: channel.resourceId,
    email: channel.email,
    calendar_id: channel.store.details.id,
    address: channel.address,
    expires_at: new Date(channel.expiresAtMs).toISOString(),
    message_number: channel.messageNumber,
    silent: state.notificationFaults.isSilent(channel.id),
  }));
  const subscriptions = state.subscriptions.list().map((subscription) => ({
    calendar_provider: 'microsoft',
    channel_id: subscription.id,
    resource_id: null,
    email: subscription.email,
    calendar_id: subscription.store.details.id,
    address: subscription.notificationUrl,
    lifecycle_address: subscription.lifecycleUrl,
    expires_at: new Date(subscription.expiresAtMs).toISOString(),
    paused: subscription.isPaused,
    silent: state.notificationFaults.isSilent(subscription.id),
  }));
  return { channels: [...channels, ...subscriptions] };
}
