import type { CalendarPort, Operation } from '../contract/index.ts';

/** A call on its way to a calendar provider. */
export interface Call {
  readonly operation: Operation;
  readonly signal: AbortSignal;
}

/** Stands around every call of a port: may wait, refuse, repeat, time or count it. */
export type Policy = <T>(call: Call, next: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** The port with a policy around each of its calls. Apply the innermost first. */
export function wrapPort(port: CalendarPort, policy: Policy): CalendarPort {
  const around = <T>(operation: Operation, signal: AbortSignal, send: (signal: AbortSignal) => Promise<T>) =>
    policy({ operation, signal }, send);
  return {
    calendarProvider: port.calendarProvider,
    listChanges: (request, signal) => around('list_changes', signal, (inner) => port.listChanges(request, inner)),
    getEvent: (eventId, signal) => around('get_event', signal, (inner) => port.getEvent(eventId, inner)),
    findEvent: (key, signal) => around('find_event', signal, (inner) => port.findEvent(key, inner)),
    createEvent: (draft, signal) => around('create_event', signal, (inner) => port.createEvent(draft, inner)),
    updateEvent: (target, draft, signal) =>
      around('update_event', signal, (inner) => port.updateEvent(target, draft, inner)),
    deleteEvent: (target, signal) => around('delete_event', signal, (inner) => port.deleteEvent(target, inner)),
    describeCalendar: (signal) => around('describe_calendar', signal, (inner) => port.describeCalendar(inner)),
    openChannel: (request, signal) => around('open_channel', signal, (inner) => port.openChannel(request, inner)),
    renewChannel: (channel, expiresAt, signal) =>
      around('renew_channel', signal, (inner) => port.renewChannel(channel, expiresAt, inner)),
    closeChannel: (channel, signal) => around('close_channel', signal, (inner) => port.closeChannel(channel, inner)),
    listChannels: (signal) => around('list_channels', signal, (inner) => port.listChannels(inner)),
  };
}
