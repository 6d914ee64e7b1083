/** The points of the test plan (F1 to F15), each where the product passes it, with what makes it pass there. */
import type { WorkingRole } from '../stage/open-stage.ts';

/** What is going on when the process is struck; see `scenarios.ts`. */
export type ScenarioName =
  | 'booking_made'
  | 'booking_made_over_http'
  | 'booking_made_in_outbox'
  | 'booking_moved'
  | 'booking_cancelled'
  | 'create_unanswered'
  | 'create_refused'
  | 'token_expired'
  | 'owner_writes'
  | 'owner_writes_much'
  | 'cursor_expires'
  | 'sync_refused'
  | 'channel_missing';

export interface FailpointCase {
  readonly fault: string;
  readonly role: WorkingRole;
  readonly scenario: ScenarioName;
  /** `during`: the request is on its way, the provider carries it out, nobody hears the answer. */
  readonly point: string;
  readonly where: string;
}

const at = (
  role: WorkingRole,
  scenario: ScenarioName,
  ...points: readonly (readonly [fault: string, point: string, where: string])[]
): FailpointCase[] => points.map(([fault, point, where]) => ({ fault, role, scenario, point, where }));

export const FAILPOINT_CASES: readonly FailpointCase[] = [
  ...at(
    'ingress',
    'owner_writes',
    ['F1', 'recordDeliveries.before', 'notification proven, not stored'],
    ['F2', 'recordDeliveries.after', 'notification stored, not rung, not answered'],
    ['F3', 'ringInboundSyncs.after', 'notification rung'],
  ),
  ...at(
    'ingress',
    'booking_made_over_http',
    ['F1', 'acceptBookingIntent.before', 'booking event valid, not stored'],
    ['F2', 'acceptBookingIntent.after', 'booking event stored, not rung, not answered'],
    ['F3', 'ringOutboundSyncs.after', 'booking event rung, not answered'],
  ),
  ...at(
    'outbound-worker',
    'booking_made',
    ['F6', 'acceptBookingIntent.before', 'booking event taken from the queue, not stored'],
    ['F2', 'acceptBookingIntent.after', 'booking event stored, not rung'],
    ['F11', 'ringOutboundSyncs.after', 'booking event rung, its job not completed'],
    ['F6', 'claimEffect.before', 'job taken from the queue, booking not claimed'],
    ['F7', 'claimEffect.after', 'booking claimed'],
    ['F7', 'noteCreation.after', 'key noted, create not sent'],
    ['F9', 'call.createEvent.during', 'create carried out, answer on its way'],
    ['F10', 'call.createEvent.after', 'create answered, not recorded'],
    ['F11', 'recordEffectSuccess.after', 'create recorded, its job not completed'],
  ),
  ...at(
    'outbound-worker',
    'booking_moved',
    ['F7', 'call.updateEvent.before', 'update not sent'],
    ['F12', 'call.updateEvent.during', 'update carried out, answer on its way'],
    ['F10', 'call.updateEvent.after', 'update answered, not recorded'],
    ['F11', 'convergeBooking.after', 'update recorded, its job not completed'],
  ),
  ...at(
    'outbound-worker',
    'booking_cancelled',
    ['F7', 'call.deleteEvent.before', 'delete not sent'],
    ['F9', 'call.deleteEvent.during', 'delete carried out, answer on its way'],
    ['F10', 'call.deleteEvent.after', 'delete answered, not recorded'],
  ),
  ...at('outbound-worker', 'create_unanswered', ['F8', 'call.findEvent.after', 'event read back, nothing decided']),
  ...at('outbound-worker', 'create_refused', ['F10', 'recordEffectFailure.before', 'refused, the wait not recorded']),
  ...at(
    'outbound-worker',
    'token_expired',
    ['F13', 'claimRefresh.after', 'right to refresh taken, nothing asked'],
    ['F13', 'call.refresh.after', 'tokens refreshed, not stored'],
    ['F13', 'storeRefreshedTokens.after', 'tokens stored, not used'],
  ),
  ...at(
    'inbound-worker',
    'owner_writes',
    ['F6', 'claimSync.before', 'job taken from the queue, connection not claimed'],
    ['F7', 'claimSync.after', 'connection claimed'],
    ['F8', 'call.listChanges.after', 'page read, nothing stored'],
    ['F10', 'storeIncrement.before', 'changes decided, nothing written'],
    ['F10', 'storeIncrement.after', 'changes and cursor committed'],
    ['F11', 'syncConnection.after', 'sync committed, its job not completed'],
  ),
  ...at(
    'inbound-worker',
    'owner_writes_much',
    ['F14', 'stagePage.before', 'first of several pages read, not staged'],
    ['F14', 'stagePage.after', 'first of several pages staged'],
    ['F10', 'applyIncrement.after', 'changes written, transaction open'],
    ['F10', 'recordSyncSuccess.after', 'cursor written, transaction open'],
  ),
  ...at(
    'inbound-worker',
    'cursor_expires',
    ['F15', 'applyFullRound.before', 'cursor refused between two pages, full round read'],
    ['F15', 'applyFullRound.after', 'full round written, transaction open'],
  ),
  ...at('inbound-worker', 'sync_refused', ['F10', 'recordSyncFailure.before', 'refused, the wait not recorded']),
  ...at(
    'retry-worker',
    'create_refused',
    ['F16', 'takeSweepTurn.before', 'turn of the sweep not taken'],
    ['F16', 'takeSweepTurn.after', 'turn of the sweep taken, nothing searched'],
    ['F16', 'findDueEffects.after', 'due booking found, not rung'],
    ['F16', 'ringOutboundSyncs.after', 'due booking rung'],
  ),
  ...at('retry-worker', 'sync_refused', ['F16', 'findDueConnections.after', 'due connection found, not rung']),
  ...at(
    'retry-worker',
    'booking_made_in_outbox',
    ['F6', 'takeFromOutbox.before', 'booking event read from the outbox, not stored'],
    ['F2', 'takeFromOutbox.after', 'booking event stored, not rung'],
  ),
  ...at(
    'retry-worker',
    'channel_missing',
    ['F7', 'insertRegisteringChannel.after', 'channel noted, not asked for'],
    ['F10', 'call.openChannel.after', 'channel opened, not recorded'],
    ['F11', 'activateChannel.after', 'channel recorded, older ones not closed'],
  ),
];
