import { type Database, findDeadLetter, listDeadLetters } from '@bookiji/db';
import { readBookingIntent } from '@bookiji/queues';
import { replayAsOperator, restoreAsOperator } from '@bookiji/sync';
import { Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import { hidePersonal } from '../board/hide-personal.ts';
import { sendError } from '../errors.ts';

const SHOWN_AT_MOST = 500;

/**
 * `GET /api/ops/dead-letters`, `POST /api/ops/dead-letters/{id}/replay`; of held deletions a replay lets them go, and
 * `POST …/{id}/restore` has the events written again.
 */
export function createDeadLetterApi(db: Database): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    const letters = await listDeadLetters(db, SHOWN_AT_MOST);
    // Who may only look need not know whom it is about; who is to put it right must see what came.
    const show = operatorOf(response).mayChange ? (payload: unknown) => payload : hidePersonal;
    response.json({
      dead_letters: letters.map(({ id, kind, reason, createdAt, payload }) => ({
        id,
        kind,
        reason,
        created_at: createdAt.toISOString(),
        payload: show(payload),
      })),
    });
  });
  router.post('/:id/replay', async (request, response) => {
    const id = z.guid().safeParse(request.params.id);
    if (!id.success) return sendError(response, 400, 'invalid_id', 'the id of a dead letter is a UUID');
    const letter = await findDeadLetter(db, id.data);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const by = { actor: operatorOf(response).name, readBooking: readBookingIntent };
    const result = await replayAsOperator(db, letter, by);
    if (result.outcome === 'already_replayed')
      return sendError(response, 409, 'already_replayed', 'it was replayed before');
    // Tried again as asked, whatever came of it: a payload that is still invalid stays a dead letter, with the reason.
    response.status(202).json({ id: letter.id, ...result });
  });
  router.post('/:id/restore', async (request, response) => {
    const id = z.guid().safeParse(request.params.id);
    if (!id.success) return sendError(response, 400, 'invalid_id', 'the id of a dead letter is a UUID');
    const letter = await findDeadLetter(db, id.data);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const result = await restoreAsOperator(db, letter, operatorOf(response).name);
    if (result === null) return sendError(response, 422, 'not_held', 'only held deletions can be restored');
    if (result.outcome === 'already_replayed')
      return sendError(response, 409, 'already_replayed', 'it was decided before');
    response.status(202).json({ id: letter.id, outcome: result.outcome });
  });
  return router;
}
