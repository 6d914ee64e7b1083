import { turnSwitches } from '@bookiji/db';
import { FLAG_NAMES, type FlagName } from '@bookiji/flags';
import { Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';

const change = z.strictObject(
  Object.fromEntries(FLAG_NAMES.map((name) => [name, z.boolean().optional()])) as Record<
    FlagName,
    z.ZodOptional<z.ZodBoolean>
  >,
);
/** As `GET` answers it, so that what was read can be put back. */
const wrapped = z.strictObject({ flags: change });

/**
 * `GET`/`PUT /api/ops/flags`: effective values; an operator narrows the environment, never widens it. Any subset may be
 * put, by itself or under `flags`; the empty one changes nothing.
 */
export function createFlagApi({ db, flags }: Pick<OpsDeps, 'db' | 'flags'>): Router {
  const router = Router();
  router.get('/', async (_request, response) => {
    await flags.refresh();
    response.json({ flags: flags.effective() });
  });
  router.put('/', async (request, response) => {
    const again = wrapped.safeParse(request.body);
    const parsed = change.safeParse(again.success ? again.data.flags : request.body);
    if (!parsed.success) {
      const at = parsed.error.issues[0];
      return sendError(response, 400, 'invalid_flags', `${at?.path.join('.') || 'body'}: ${at?.message ?? 'invalid'}`);
    }
    const changedBy = operatorOf(response).name;
    const reason = typeof request.query.reason === 'string' ? request.query.reason.slice(0, 300) : null;
    await turnSwitches(
      db,
      Object.entries(parsed.data).flatMap(([name, isOn]) =>
        isOn === undefined ? [] : [{ name, isOn, changedBy, reason }],
      ),
    );
    await flags.refresh();
    response.json({ flags: flags.effective() });
  });
  return router;
}
