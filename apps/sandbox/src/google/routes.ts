/** Google's Calendar API v3, at its own paths. */
import { Router } from 'express';
import { mount } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { getCalendar, getListEntry, listCalendars } from './calendars.ts';
import { listEvents } from './events-list.ts';
import { getEvent } from './events-read.ts';
import { insertEvent, patchEvent, removeEvent, updateEvent } from './events-write.ts';
import { queryFreeBusy } from './free-busy.ts';
import { pageOf } from './list-query.ts';
import { calendarProtocol } from './protocol.ts';
import { pushChange } from './push.ts';
import { stopChannel, watchEvents } from './watch.ts';

const EVENTS = '/calendars/:calendarId/events';
const EVENT = `${EVENTS}/:eventId`;

export function googleCalendarRoutes(state: SandboxState): Router {
  const router = Router();
  mount(router, state, calendarProtocol(state), [
    {
      operation: 'events.list',
      method: 'get',
      path: EVENTS,
      page: (call) => pageOf(call.query),
      handle: (call, caller) => listEvents(state, call, caller),
    },
    {
      operation: 'events.insert',
      method: 'post',
      path: EVENTS,
      handle: (call, caller) => insertEvent(state, call, caller),
    },
    {
      operation: 'events.watch',
      method: 'post',
      path: `${EVENTS}/watch`,
      handle: (call, caller) => watchEvents(state, call, caller),
    },
    { operation: 'events.get', method: 'get', path: EVENT, handle: getEvent },
    {
      operation: 'events.patch',
      method: 'patch',
      path: EVENT,
      handle: (call, caller) => patchEvent(state, call, caller),
    },
    {
      operation: 'events.update',
      method: 'put',
      path: EVENT,
      handle: (call, caller) => updateEvent(state, call, caller),
    },
    {
      operation: 'events.delete',
      method: 'delete',
      path: EVENT,
      handle: (call, caller) => removeEvent(state, call, caller),
    },
    {
      operation: 'channels.stop',
      method: 'post',
      path: '/channels/stop',
      handle: (call, caller) => stopChannel(state, call, caller),
    },
    { operation: 'calendars.get', method: 'get', path: '/calendars/:calendarId', handle: getCalendar },
    { operation: 'calendarList.list', method: 'get', path: '/users/me/calendarList', handle: listCalendars },
    { operation: 'calendarList.get', method: 'get', path: '/users/me/calendarList/:calendarId', handle: getListEntry },
    { operation: 'freebusy.query', method: 'post', path: '/freeBusy', handle: queryFreeBusy },
  ]);
  state.changeListeners.push((change) => {
    if (change.store.details.provider === 'google') pushChange(state, change);
  });
  return router;
}
