/** Writing a booking's event. https://learn.microsoft.com/graph/api/user-post-events, event-update, event-delete */
import { type EventDraft, type EventTarget, ProviderError, type WrittenEvent } from '../contract/index.ts';
import { writeProperties } from './booking-properties.ts';
import { type Graph, unreadableAnswer } from './graph-client.ts';
import { type GraphEvent, readGraphEvent } from './graph-event.ts';
import { calendarPath, eventPath } from './graph-paths.ts';
import { mapEvent } from './map-event.ts';
import { ownError } from './own-error.ts';

/**
 * Creates the event. Graph answers a repeated `transactionId` with the event that is already there; if that one shows
 * something else than the draft, an earlier state of it was written once, and the caller has to read: `conflict`.
 */
export async function createEvent(
  graph: Graph,
  calendarId: string,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  const operation = 'create_event';
  const path = `${calendarPath(calendarId)}/events`;
  const body = { ...bodyOf(draft), transactionId: draft.key.transactionId };
  const answer = await graph.call({ operation, method: 'POST', to: { path }, body, signal });
  const event = readGraphEvent(answer.body);
  if (event === null || 'removedId' in event) throw unreadableAnswer({ operation }, answer.status);
  if (!showsDraft(event, answer.body, draft)) {
    throw ownError({ kind: 'conflict', operation, reason: 'created_earlier', status: answer.status });
  }
  return { eventId: event.id, etag: event.etag };
}

export async function updateEvent(
  graph: Graph,
  target: EventTarget,
  draft: EventDraft,
  signal: AbortSignal,
): Promise<WrittenEvent> {
  const operation = 'update_event';
  const answer = await graph
    .call({
      operation,
      method: 'PATCH',
      to: { path: eventPath(target.eventId) },
      body: bodyOf(draft),
      ifMatch: target.etag,
      signal,
    })
    .catch((error: unknown) => leaveSeries(graph, target, error, signal));
  // An update without an answer's body is still one; only the next write is then unconditional.
  const event = readGraphEvent(answer.body);
  const etag = event === null || 'removedId' in event ? null : event.etag;
  return { eventId: target.eventId, etag };
}

/**
 * An occurrence cannot be moved past its neighbours. A booking whose owner made its event a series leaves it then: its
 * occurrence is deleted, and the caller writes it as a new event, as after any deletion.
 */
async function leaveSeries(graph: Graph, target: EventTarget, error: unknown, signal: AbortSignal): Promise<never> {
  if (!(error instanceof ProviderError) || error.reason !== 'ErrorOccurrenceCrossingBoundary') throw error;
  await deleteEvent(graph, target, signal);
  throw ownError({ kind: 'not_found', operation: 'update_event', reason: 'left_series', status: error.status });
}

export async function deleteEvent(graph: Graph, target: EventTarget, signal: AbortSignal): Promise<void> {
  try {
    await graph.call({
      operation: 'delete_event',
      method: 'DELETE',
      to: { path: eventPath(target.eventId) },
      ifMatch: target.etag,
      signal,
    });
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not_found') return;
    throw error;
  }
}

/**
 * The whole event, with no guests: Graph mails them whenever there are any. Times go out in UTC, the one zone whose rules
 * are the same on both sides; Outlook shows them in the zone of whoever looks.
 */
function bodyOf(draft: EventDraft) {
  return {
    subject: draft.title,
    body: { contentType: 'text', content: draft.description ?? '' },
    location: { displayName: draft.location ?? '' },
    start: toGraphTime(draft.startAt),
    end: toGraphTime(draft.endAt),
    isAllDay: false,
    showAs: 'busy',
    singleValueExtendedProperties: writeProperties(draft.key.transactionId, draft.marker),
  };
}

function toGraphTime(instant: Date): { dateTime: string; timeZone: string } {
  return { dateTime: instant.toISOString().replace('Z', ''), timeZone: 'UTC' };
}

/** Whether the answer shows the draft's times and title, as far as it shows any. */
function showsDraft(event: GraphEvent, body: unknown, draft: EventDraft): boolean {
  const mapped = mapEvent(event, { master: null, mailboxZone: null });
  if ('kind' in mapped) {
    if (mapped.startAt.getTime() !== draft.startAt.getTime() || mapped.endAt.getTime() !== draft.endAt.getTime()) {
      return false;
    }
  }
  const subject = (body as { subject?: unknown }).subject;
  return typeof subject !== 'string' || subject.trim() === draft.title.trim();
}
