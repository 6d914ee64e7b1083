import { findDeadLetter, listDeadLetters } from '@bookiji/db';
import { readBookingIntent } from '@bookiji/queues';
import { replayAsOperator, restoreAsOperator } from '@bookiji/sync';
import { Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';
import { renderDeadLetter, renderDeadLetters } from './dead-letters-page.ts';

const SHOWN_AT_MOST = 200;

const NOTICES: Readonly<Record<string, string>> = {
  replayed: 'Replayed: the work is due again and starts within seconds.',
  restored: 'The events will be written again, starting within seconds.',
  already_replayed: 'It has already been replayed.',
  nothing_left: 'Its booking or connection is gone, so the letter was closed.',
  still_invalid: 'It is still invalid, so it stays a dead letter. Its publisher must send a corrected one.',
};

/** `/dead-letters`, `/dead-letters/{id}`, `POST /dead-letters/{id}/replay`, `POST /dead-letters/{id}/restore`. */
export function createDeadLetterPages({ db, now }: Pick<OpsDeps, 'db' | 'now'>): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    const letters = await listDeadLetters(db, SHOWN_AT_MOST);
    const notice = NOTICES[String(request.query.done ?? '')] ?? null;
    response.type('html').send(renderDeadLetters({ letters, now: now() }, operatorOf(response), notice));
  });
  router.get('/:id', async (request, response) => {
    const letter = await find(request.params.id);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const notice = NOTICES[String(request.query.done ?? '')] ?? null;
    response.type('html').send(renderDeadLetter({ letter, now: now() }, operatorOf(response), notice));
  });
  router.post('/:id/replay', async (request, response) => {
    const letter = await find(request.params.id);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const by = { actor: operatorOf(response).name, readBooking: readBookingIntent };
    const { outcome } = await replayAsOperator(db, letter, by);
    const place = outcome === 'still_invalid' ? `/dead-letters/${letter.id}` : '/dead-letters';
    response.redirect(303, `${place}?done=${outcome}`);
  });
  router.post('/:id/restore', async (request, response) => {
    const letter = await find(request.params.id);
    if (letter === null) return sendError(response, 404, 'unknown_dead_letter', 'there is no dead letter with this id');
    const result = await restoreAsOperator(db, letter, operatorOf(response).name);
    if (result === null) return sendError(response, 422, 'not_held', 'only held deletions can be restored');
    response.redirect(303, `/dead-letters?done=${result.outcome === 'replayed' ? 'restored' : result.outcome}`);
  });
  return router;

  async function find(id: string | undefined) {
    const parsed = z.guid().safeParse(id);
    return parsed.success ? findDeadLetter(db, parsed.data) : null;
  }
}
