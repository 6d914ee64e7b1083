/** The points FP1 to FP16 of docs/fault-points.md, each where the product passes it, with what makes it pass there. */
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
    ['FP1', 'recordDeliveries.before', 'notification proven, not stored'],
    ['FP2', 'recordDeliveries.after', 'notification stored, not rung, not answered'],
    ['FP3', 'ringInboundSyncs.after', 'notification rung'],
  ),
  ...at(
    'ingress',
    'booking_made_over_http',
    ['FP1', 'acceptBookingIntent.before', 'booking event valid, not stored'],
    ['FP2', 'acceptBookingIntent.after', 'booking event stored, not rung, not answered'],
    ['FP3', 'ringOutboundSyncs.after', 'booking event rung, not answered'],
  ),
  ...at(
    'outbound-worker',
    'booking_made',
    ['FP6', 'acceptBookingIntent.before', 'booking event taken from the queue, not stored'],
    ['FP2', 'acceptBookingIntent.after', 'booking event stored, not rung'],
    ['FP11', 'ringOutboundSyncs.after', 'booking event rung, its job not completed'],
    ['FP6', 'claimEffect.before', 'job taken from the queue, booking not claimed'],
    ['FP7', 'claimEffect.after', 'booking claimed'],
    ['FP7', 'noteCreation.after', 'key noted, create not sent'],
    ['FP9', 'call.createEvent.during', 'create carried out, answer on its way'],
    ['FP10', 'call.createEvent.after', 'create answered, not recorded'],
    ['FP11', 'recordEffectSuccess.after', 'create recorded, its job not completed'],
  ),
  ...at(
    'outbound-worker',
    'booking_moved',
    ['FP7', 'call.updateEvent.before', 'update not sent'],
    ['FP12', 'call.updateEvent.during', 'update carried out, answer on its way'],
    ['FP10', 'call.updateEvent.after', 'update answered, not recorded'],
    ['FP11', 'convergeBooking.after', 'update recorded, its job not completed'],
  ),
  ...at(
    'outbound-worker',
    'booking_cancelled',
    ['FP7', 'call.deleteEvent.before', 'delete not sent'],
    ['FP9', 'call.deleteEvent.during', 'delete carried out, answer on its way'],
    ['FP10', 'call.deleteEvent.after', 'delete answered, not recorded'],
  ),
  ...at('outbound-worker', 'create_unanswered', ['FP8', 'call.findEvent.after', 'event read back, nothing decided']),
  ...at('outbound-worker', 'create_refused', ['FP10', 'recordEffectFailure.before', 'refused, the wait not recorded']),
  ...at(
    'outbound-worker',
    'token_expired',
    ['FP13', 'claimRefresh.after', 'right to refresh taken, nothing asked'],
    ['FP13', 'call.refresh.after', 'tokens refreshed, not stored'],
    ['FP13', 'storeRefreshedTokens.after', 'tokens stored, not used'],
  ),
  ...at(
    'inbound-worker',
    'owner_writes',
    ['FP6', 'claimSync.before', 'job taken from the queue, connection not claimed'],
    ['FP7', 'claimSync.after', 'connection claimed'],
    ['FP8', 'call.listChanges.after', 'page read, nothing stored'],
    ['FP10', 'storeIncrement.before', 'changes decided, nothing written'],
    ['FP10', 'storeIncrement.after', 'changes and cursor committed'],
    ['FP11', 'syncConnection.after', 'sync committed, its job not completed'],
  ),
  ...at(
    'inbound-worker',
    'owner_writes_much',
    ['FP14', 'stagePage.before', 'first of several pages read, not staged'],
    ['FP14', 'stagePage.after', 'first of several pages staged'],
    ['FP10', 'applyIncrement.after', 'changes written, transaction open'],
    ['FP10', 'recordSyncSuccess.after', 'cursor written, transaction open'],
  ),
  ...at(
    'inbound-worker',
    'cursor_expires',
    ['FP15', 'applyFullRound.before', 'cursor refused between two pages, full round read'],
    ['FP15', 'applyFullRound.after', 'full round written, transaction open'],
  ),
  ...at('inbound-worker', 'sync_refused', ['FP10', 'recordSyncFailure.before', 'refused, the wait not recorded']),
  ...at(
    'retry-worker',
    'create_refused',
    ['FP16', 'takeSweepTurn.before', 'turn of the sweep not taken'],
    ['FP16', 'takeSweepTurn.after', 'turn of the sweep taken, nothing searched'],
    ['FP16', 'findDueEffects.after', 'due booking found, not rung'],
    ['FP16', 'ringOutboundSyncs.after', 'due booking rung'],
  ),
  ...at('retry-worker', 'sync_refused', ['FP16', 'findDueConnections.after', 'due connection found, not rung']),
  ...at(
    'retry-worker',
    'booking_made_in_outbox',
    ['FP6', 'takeFromOutbox.before', 'booking event read from the outbox, not stored'],
    ['FP2', 'takeFromOutbox.after', 'booking event stored, not rung'],
  ),
  ...at(
    'retry-worker',
    'channel_missing',
    ['FP7', 'insertRegisteringChannel.after', 'channel noted, not asked for'],
    ['FP10', 'call.openChannel.after', 'channel opened, not recorded'],
    ['FP11', 'activateChannel.after', 'channel recorded, older ones not closed'],
  ),
];
