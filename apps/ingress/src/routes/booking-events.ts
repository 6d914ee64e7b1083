/** `POST /api/calendar/booking-events`: the booking event for services that speak HTTP. Committed before the answer. */
import { acceptBookingIntent, StrangeProviderError } from '@bookiji/db';
import { type BookingEvent, parseBookingEvent, ringOutboundSyncs, toDesiredBooking } from '@bookiji/queues';
import type { RequestHandler, Response } from 'express';
import type { IngressDeps } from '../deps.ts';

export function createBookingEvents(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const parsed = parseBookingEvent(request.body);
    if (!parsed.ok) {
      return sendInvalid(
        response,
        parsed.issues.map(({ path, message }) => ({ field: path, message })),
      );
    }
    const { event } = parsed;
    const accepted = await accept(deps, event);
    if (accepted === null) {
      return sendInvalid(response, [
        { field: 'provider_id', message: 'is not the provider that this booking was made for' },
      ]);
    }
    deps.metrics.bookingEvents.inc({ outcome: accepted.accepted ? 'accepted' : 'superseded' });
    if (!accepted.accepted) return void response.status(200).json({ accepted: false, reason: 'superseded' });
    const effects = accepted.connectionIds.map((id) => ({
      booking_id: event.booking_id.toLowerCase(),
      connection_id: id,
    }));
    await ringOutboundSyncs(deps.queues, effects).catch(() => deps.metrics.ringsLost.inc());
    response.status(202).json({ accepted: true });
  };
}

/** Null when the booking was made for another provider. */
async function accept(deps: IngressDeps, event: BookingEvent) {
  try {
    return await acceptBookingIntent(deps.db, toDesiredBooking(event));
  } catch (error) {
    if (error instanceof StrangeProviderError) return null;
    throw error;
  }
}

function sendInvalid(
  response: Response,
  fields: readonly { readonly field: string; readonly message: string }[],
): void {
  const message = fields.map(({ field, message: why }) => `${field || 'body'}: ${why}`).join('; ');
  response.status(422).json({ error: { code: 'invalid_booking_event', message, fields } });
}
