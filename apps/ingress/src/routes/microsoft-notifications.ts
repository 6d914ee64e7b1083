/**
 * `POST /api/webhooks/calendar/microsoft`: the handshake, and collections of items that may belong to many connections.
 * Each item is proven by itself; one bad item does not sink the others. Graph repeats whatever is refused for hours, so
 * only a delivery without a single genuine item is.
 */
import type { DeliveryVerdict, ProvenNotification } from '@bookiji/db';
import { type GraphNotification, parseGraphNotification, readValidationToken } from '@bookiji/providers/microsoft';
import { ringRetry } from '@bookiji/queues';
import { connectionIdOfChannel, noteLifecycle, readClientState } from '@bookiji/sync';
import type { RequestHandler, Response } from 'express';
import type { IngressDeps } from '../deps.ts';
import { parseJson, readBody } from '../read-body.ts';
import { isSigned, readSignedNotification } from '../signed-body.ts';
import { createWebhookRoute, noteNotifications, refusals, refuseStrangeId } from './webhook.ts';

export function createMicrosoftNotifications(deps: IngressDeps): RequestHandler {
  return createWebhookRoute(deps, 'microsoft', async (request, response) => {
    if (!deps.flags.isOn('CALENDAR_WEBHOOK_ENABLED')) throw refusals.off();
    const validationToken = readValidationToken(request.originalUrl);
    if (validationToken !== null) return answerHandshake(deps, response, validationToken);
    const body = await readBody(request);
    const json = parseJson(body);
    const reading = parseGraphNotification(json);
    const secrets = deps.signingSecrets.microsoft;
    const signed = 'error' in reading ? readSignedNotification(json) : null;
    if ('error' in reading && signed === null) throw refusals.noIdentifier();
    if (!('error' in reading)) noteNotifications(response, reading.items.length);
    if (secrets !== null && !isSigned(body, request.get('x-microsoft-graph-signature'), secrets)) {
      throw refusals.notAuthentic();
    }
    if (!('error' in reading)) {
      const verdicts = await Promise.all(reading.items.map((item) => takeItem(deps, item)));
      return answerItems(deps, response, verdicts);
    }
    if (signed === null || secrets === null) throw refusals.notAuthentic();
    refuseStrangeId(deps, signed.connectionId);
    const verdict = await deps.intake.take({ ...signed, channelId: null, resourceId: null, subscriptionId: null });
    if (verdict === 'unknown_connection') throw refusals.unknown();
    answerItems(deps, response, [verdict]);
  });
}

/** Asks for the flag alone: the subscription it is about does not exist yet. */
function answerHandshake(deps: IngressDeps, response: Response, token: string): void {
  deps.metrics.webhooks.inc({ calendar_provider: 'microsoft', outcome: 'handshake' });
  response.status(200).type('text/plain').send(token);
}

async function takeItem(deps: IngressDeps, item: GraphNotification): Promise<DeliveryVerdict> {
  const channelId = item.clientState === null ? null : readClientState(item.clientState, deps.channelSecrets);
  const connectionId = channelId === null ? null : connectionIdOfChannel(channelId);
  if (connectionId === null) return 'unauthentic';
  const proven: ProvenNotification = {
    connectionId,
    channelId,
    resourceId: null,
    subscriptionId: item.subscriptionId,
    deliveryKey: item.deliveryKey,
  };
  const verdict = await deps.intake.take(proven);
  // A repeat is noted again: what was accepted before may not have been noted.
  if (channelId !== null && item.lifecycleEvent !== null && (verdict === 'accepted' || verdict === 'duplicate')) {
    await noteLifecycle(deps.db, channelId, item.lifecycleEvent);
    await lookAfterChannel(deps, connectionId);
  }
  return verdict;
}

/** Renewal, re-creation and the look for what was missed are the retry worker's; here it is only told. */
async function lookAfterChannel(deps: IngressDeps, connectionId: string): Promise<void> {
  await ringRetry(deps.queues, [{ task: 'keep_channel', connection_id: connectionId }]).catch(() =>
    deps.metrics.ringsLost.inc(),
  );
}

function answerItems(deps: IngressDeps, response: Response, verdicts: readonly DeliveryVerdict[]): void {
  if (verdicts.every((one) => one === 'unauthentic')) refuseItems(deps, response, verdicts, refusals.notAuthentic);
  if (verdicts.every((one) => one === 'unauthentic' || one === 'not_allowed')) {
    refuseItems(deps, response, verdicts, refusals.notAllowlisted);
  }
  countItems(deps, verdicts);
  const accepted = verdicts.filter((one) => one === 'accepted').length;
  const duplicates = verdicts.filter((one) => one === 'duplicate').length;
  const rejected = verdicts.length - accepted - duplicates;
  if (rejected > 0) {
    deps.logger.warn(
      { calendar_provider: 'microsoft', outcome: 'rejected', accepted, duplicates, rejected },
      'items rejected',
    );
  }
  const isKnown = accepted + duplicates > 0;
  response.status(isKnown ? 200 : 202).json({
    processed: true,
    accepted,
    duplicates,
    rejected,
    ...(accepted === 0 && duplicates > 0 ? { reason: 'duplicate' } : {}),
  });
}

/** Each item is counted as what it is; the route counts none of them again. */
function refuseItems(
  deps: IngressDeps,
  response: Response,
  verdicts: readonly DeliveryVerdict[],
  refusal: () => Error,
): never {
  countItems(deps, verdicts);
  noteNotifications(response, 0);
  throw refusal();
}

function countItems(deps: IngressDeps, verdicts: readonly DeliveryVerdict[]): void {
  for (const [outcome, same] of Map.groupBy(verdicts, outcomeOf)) {
    deps.metrics.webhooks.inc({ calendar_provider: 'microsoft', outcome }, same.length);
  }
}

function outcomeOf(verdict: DeliveryVerdict): string {
  if (verdict.startsWith('unknown_')) return 'unknown';
  if (verdict === 'unauthentic') return 'not_authentic';
  return verdict === 'not_allowed' ? 'not_allowlisted' : verdict;
}
