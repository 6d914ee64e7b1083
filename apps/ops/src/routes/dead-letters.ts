import { type Database, findDeadLetter, listDeadLetters, writeAudit } from '@bookiji/db';
import { parseBookingEvent, toDesiredBooking } from '@bookiji/queues';
import { type ReadBooking, replayDeadLetter } from '@bookiji/sync';
import { Router } from 'express';
import { z } from 'zod';
import { sendError } from '../errors.ts';

const SHOWN_AT_MOST = 500;

const readBooking: ReadBooking = (payload) => {
  const parsed = parseBookingEvent(payload);
  if (parsed.ok) return { ok: true, intent: toDesiredBooking(parsed.event) };
  return { ok: false, reason: parsed.issues.map((issue) => `${issue.path || 'payload'}: ${issue.message}`).join('; ') };
};

/** `GET /api/ops/dead-letters`, `POST /api/ops/dead-letters/{id}/replay`. */
export function createDeadLetterRoutes(db: Database): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    const letters = await listDeadLetters(db, SHOWN_AT_MOST);
    response.json({
      dead_letters: letters.map(({ id, kind, reason, createdAt, payload }) => ({
        id,
        kind,
        reason,
        created_at: createdAt.toISOString(),
        payload,
      })),
    });
  });
  router.post('/:id/replay', async (request, response) => {
    const id = z.uuid().safeParse(request.params.id);
    if (!id.success) return sendError(response, 400, 'invalid_id', 'the id of a dead letter is a UUID');
    const letter = await findDeadLetter(db, id.data);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const result = await replayDeadLetter(db, letter, readBooking);
    const actor = response.locals.actor as string;
    await writeAudit(db, {
      actor,
      action: 'dead_letter_replayed',
      subject: letter.id,
      details: { outcome: result.outcome },
    });
    if (result.outcome === 'still_invalid') return sendError(response, 422, 'still_invalid', result.reason);
    if (result.outcome === 'already_replayed')
      return sendError(response, 409, 'already_replayed', 'it was replayed before');
    response.status(202).json({ id: letter.id, outcome: result.outcome });
  });
  return router;
}
