/** `POST /api/calendar/booking-events`: the booking event for services that speak HTTP. Committed before the answer. */
import { acceptBookingIntent } from '@bookiji/db';
import { parseBookingEvent, ringOutboundSyncs, toDesiredBooking } from '@bookiji/queues';
import type { RequestHandler } from 'express';
import type { IngressDeps } from '../deps.ts';

export function createBookingEvents(deps: IngressDeps): RequestHandler {
  return async (request, response) => {
    const parsed = parseBookingEvent(request.body);
    if (!parsed.ok) {
      const fields = parsed.issues.map(({ path, message }) => ({ field: path, message }));
      const message = fields.map(({ field, message: why }) => `${field || 'body'}: ${why}`).join('; ');
      return void response.status(422).json({ error: { code: 'invalid_booking_event', message, fields } });
    }
    const { event } = parsed;
    const accepted = await acceptBookingIntent(deps.db, toDesiredBooking(event));
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
