/** Microsoft Graph v1.0, calendars and subscriptions, at its own paths. */
import { Router } from 'express';
import { type Endpoint, mount } from '../endpoint.ts';
import type { SandboxState } from '../state.ts';
import { getCalendar, getMailboxSettings, getProfile, listCalendars } from './calendars.ts';
import { readDelta } from './delta.ts';
import { deltaPageOf } from './delta-token.ts';
import { getEvent, listCalendarView, listEvents, listInstances } from './events-read.ts';
import { cancelEvent, insertEvent, patchEvent, removeEvent } from './events-write.ts';
import { pageOf } from './list-query.ts';
import { notifyChange } from './notify.ts';
import { graphProtocol } from './protocol.ts';
import {
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  reauthorizeSubscription,
  renewSubscription,
} from './subscribe.ts';

const SUBSCRIPTION = '/subscriptions/:subscriptionId';

export function graphRoutes(state: SandboxState): Router {
  const router = Router();
  const endpoints = [
    ...accountEndpoints(),
    // The account's own calendar goes without an id.
    ...['/me', '/me/calendar', '/me/calendars/:calendarId'].flatMap((base) => calendarEndpoints(state, base)),
    ...subscriptionEndpoints(state),
  ];
  mount(router, state, graphProtocol(state), endpoints);
  state.changeListeners.push((change) => {
    if (change.store.details.provider === 'microsoft') notifyChange(state, change);
  });
  return router;
}

function accountEndpoints(): Endpoint[] {
  return [
    { operation: 'me.get', method: 'get', path: '/me', handle: getProfile },
    { operation: 'mailboxSettings.get', method: 'get', path: '/me/mailboxSettings', handle: getMailboxSettings },
    { operation: 'calendars.list', method: 'get', path: '/me/calendars', handle: listCalendars },
    { operation: 'calendars.get', method: 'get', path: '/me/calendar', handle: getCalendar },
    { operation: 'calendars.get', method: 'get', path: '/me/calendars/:calendarId', handle: getCalendar },
  ];
}

/** The operations that both providers have go by one name, so that one order is for either. */
function calendarEndpoints(state: SandboxState, base: string): Endpoint[] {
  const [events, event, view] = [`${base}/events`, `${base}/events/:eventId`, `${base}/calendarView`];
  return [
    {
      operation: 'events.delta',
      method: 'get',
      path: `${view}/delta`,
      page: deltaPageOf,
      handle: (call, caller) => readDelta(state, call, caller),
    },
    { operation: 'calendarView.list', method: 'get', path: view, page: pageOf, handle: listCalendarView },
    {
      operation: 'events.list',
      method: 'get',
      path: events,
      page: pageOf,
      handle: (call, caller) => listEvents(state, call, caller),
    },
    {
      operation: 'events.insert',
      method: 'post',
      path: events,
      handle: (call, caller) => insertEvent(state, call, caller),
    },
    { operation: 'events.get', method: 'get', path: event, handle: getEvent },
    {
      operation: 'events.patch',
      method: 'patch',
      path: event,
      handle: (call, caller) => patchEvent(state, call, caller),
    },
    {
      operation: 'events.delete',
      method: 'delete',
      path: event,
      handle: (call, caller) => removeEvent(state, call, caller),
    },
    {
      operation: 'events.cancel',
      method: 'post',
      path: `${event}/cancel`,
      handle: (call, caller) => cancelEvent(state, call, caller),
    },
    { operation: 'events.instances', method: 'get', path: `${event}/instances`, page: pageOf, handle: listInstances },
  ];
}

function subscriptionEndpoints(state: SandboxState): Endpoint[] {
  return [
    {
      operation: 'subscriptions.create',
      method: 'post',
      path: '/subscriptions',
      handle: (call, caller) => createSubscription(state, call, caller),
    },
    {
      operation: 'subscriptions.list',
      method: 'get',
      path: '/subscriptions',
      handle: (call, caller) => listSubscriptions(state, call, caller),
    },
    {
      operation: 'subscriptions.get',
      method: 'get',
      path: SUBSCRIPTION,
      handle: (call, caller) => getSubscription(state, call, caller),
    },
    {
      operation: 'subscriptions.renew',
      method: 'patch',
      path: SUBSCRIPTION,
      handle: (call, caller) => renewSubscription(state, call, caller),
    },
    {
      operation: 'subscriptions.delete',
      method: 'delete',
      path: SUBSCRIPTION,
      handle: (call, caller) => deleteSubscription(state, call, caller),
    },
    {
      operation: 'subscriptions.reauthorize',
      method: 'post',
      path: `${SUBSCRIPTION}/reauthorize`,
      handle: (call, caller) => reauthorizeSubscription(state, call, caller),
    },
  ];
}
