/** `POST /api/webhooks/calendar/google`: prove, record, answer. No provider call, nothing slow. */
import type { DeliveryVerdict, ProvenNotification } from '@bookiji/db';
import { type GoogleNotification, parseGoogleNotification } from '@bookiji/providers/google';
import { connectionIdOfChannel, isChannelProof } from '@bookiji/sync';
import type { RequestHandler, Response } from 'express';
import type { IngressDeps } from '../deps.ts';
import { parseJson, readBody } from '../read-body.ts';
import { rememberProofs } from '../remember-proofs.ts';
import { isSigned, readSignedNotification } from '../signed-body.ts';
import { acknowledge, createWebhookRoute, refusals, refuseStrangeId } from './webhook.ts';

export function createGoogleNotifications(deps: IngressDeps): RequestHandler {
  const isProven = rememberProofs((channelId, token) =>
    isChannelProof('google', channelId, token, deps.channelSecrets),
  );
  const count = countByVerdict(deps);
  return createWebhookRoute(deps, 'google', async (request, response) => {
    if (!deps.flags.isOn('CALENDAR_WEBHOOK_ENABLED')) throw refusals.off();
    const body = await readBody(request);
    const json = parseJson(body);
    const native = parseGoogleNotification(request.headers);
    const secrets = deps.signingSecrets.google;
    // The relay's form is for who names no channel. One that names a strange channel names one that was never issued.
    const isNameless = 'error' in native && native.error === 'no_channel_id';
    const signed = isNameless ? readSignedNotification(json) : null;
    if (isNameless && signed === null) throw refusals.noIdentifier();
    if (secrets !== null && !isSigned(body, request.get('x-goog-signature'), secrets)) throw refusals.notAuthentic();
    // A signature is sufficient only with the JSON form, and that form proves nothing without one.
    const proven = 'error' in native ? proveSigned(signed, secrets) : proveNative(isProven, native);
    if (proven === null) throw refusals.notAuthentic();
    // A channel's id carries no other.
    if (proven.channelId === null) refuseStrangeId(deps, proven.connectionId);
    const verdict = await deps.intake.take(proven);
    answer(response, proven.connectionId, verdict);
    count(verdict);
    if (deps.logger.isLevelEnabled('debug')) {
      const about = { calendar_provider: 'google', connection_id: proven.connectionId, outcome: verdict };
      deps.logger.debug(about, 'notification');
    }
  });
}

/** By the channel alone, without a look-up: its id carries the connection, its token is an HMAC over its id. */
function proveNative(
  isProven: (channelId: string, token: string) => boolean,
  notification: GoogleNotification,
): ProvenNotification | null {
  const { channelId, channelToken, resourceId, messageNumber, isHandshake } = notification;
  const connectionId = connectionIdOfChannel(channelId);
  if (connectionId === null || channelToken === null || resourceId === null) return null;
  if (!isProven(channelId, channelToken)) return null;
  const deliveryKey = messageNumber === null ? null : `${channelId}:${messageNumber}`;
  return { connectionId, channelId, resourceId, subscriptionId: null, deliveryKey, isHandshake };
}

function proveSigned(
  signed: ReturnType<typeof readSignedNotification>,
  secrets: readonly string[] | null,
): ProvenNotification | null {
  if (signed === null || secrets === null) return null;
  return { ...signed, channelId: null, resourceId: null, subscriptionId: null };
}

function answer(response: Response, connectionId: string, verdict: DeliveryVerdict): void {
  switch (verdict) {
    case 'unknown_connection':
      throw refusals.unknown();
    case 'unknown_channel':
    case 'unknown_subscription':
    case 'unauthentic':
      throw refusals.notAuthentic();
    case 'not_allowed':
      throw refusals.notAllowlisted();
    case 'accepted':
      acknowledge(response, { processed: true, connection_id: connectionId });
      break;
    case 'duplicate':
      acknowledge(response, { processed: true, reason: 'duplicate' });
      break;
    case 'handshake':
      acknowledge(response, { processed: true, reason: 'sync' });
      break;
    case 'retired_channel':
      acknowledge(response, { processed: true, reason: 'retired_channel' });
  }
}

/** Each outcome's counter is looked up once. */
function countByVerdict(deps: IngressDeps): (verdict: DeliveryVerdict) => void {
  const counters = new Map<DeliveryVerdict, { inc(): void }>();
  return (outcome) => {
    const counter = counters.get(outcome) ?? deps.metrics.webhooks.labels({ calendar_provider: 'google', outcome });
    counters.set(outcome, counter);
    counter.inc();
  };
}
