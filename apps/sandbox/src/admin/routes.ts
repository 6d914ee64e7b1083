/** The admin API, for tests, drills and benchmarks. README.md describes it. */
import { Router } from 'express';
import { resetState, type SandboxState } from '../state.ts';
import * as accounts from './accounts.ts';
import { type AdminCall, admin } from './admin-answer.ts';
import * as events from './events.ts';
import * as orders from './orders.ts';
import * as records from './records.ts';

type Action = (state: SandboxState, call: AdminCall) => unknown;
type Route = readonly [
  method: 'get' | 'post' | 'put' | 'patch' | 'delete',
  path: string,
  action: Action,
  status?: number,
];

const EVENTS = '/calendars/:provider/:email/events';

const ROUTES: readonly Route[] = [
  ['get', '/users', accounts.listAccounts],
  ['put', '/users', accounts.putAccount],
  ['delete', '/users/:provider/:email', accounts.deleteAccount],
  ['get', EVENTS, events.listEventsByHand],
  ['post', EVENTS, events.addEvent, 201],
  ['post', `${EVENTS}/fill`, events.fillByHand, 201],
  ['get', `${EVENTS}/:eventId`, events.getEventByHand],
  ['patch', `${EVENTS}/:eventId`, events.changeEventByHand],
  ['delete', `${EVENTS}/:eventId`, events.deleteEventByHand],
  ['post', `${EVENTS}/:eventId/restore`, events.restoreEventByHand],
  ['post', `${EVENTS}/:eventId/move-folder`, events.moveFolderByHand],
  ['get', '/grants', orders.listGrants],
  ['post', '/grants', orders.issueGrant, 201],
  ['post', '/grants/revoke', orders.revokeGrants],
  ['post', '/tokens/expire', orders.expireTokens],
  ['put', '/clients', orders.registerClient],
  ['get', '/clock', orders.showClock],
  ['put', '/clock', orders.moveClock],
  ['get', '/settings', orders.showSettings],
  ['put', '/settings', orders.putSettings],
  ['get', '/faults', orders.listFaults],
  ['post', '/faults', orders.orderFault, 201],
  ['delete', '/faults', orders.clearFaults],
  ['post', '/notification-faults', orders.orderNotificationFault, 201],
  ['post', '/channels/silence', orders.silenceChannel],
  ['post', '/channels/lifecycle', orders.orderLifecycle],
  ['post', '/cursors/expire', orders.expireCursors],
  ['get', '/channels', records.showChannels],
  ['get', '/history', records.showHistory],
  ['get', '/requests', records.showRequests],
  ['delete', '/requests', records.clearRequests],
  ['get', '/notifications', records.showNotifications],
  ['get', '/mail', records.showMail],
  ['post', '/reset', resetState],
];

export function adminRoutes(state: SandboxState): Router {
  const router = Router();
  for (const [method, path, action, status] of ROUTES) {
    router[method](
      path,
      admin((call) => action(state, call), status),
    );
  }
  return router;
}
