import { turnSwitches } from '@bookiji/db';
import { Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';
import { isSwitchName, listKillSwitches } from '../switches/kill-switches.ts';

const change = z.object({
  switches: z.record(z.string(), z.boolean()).refine((map) => Object.keys(map).length > 0, 'name at least one switch'),
  reason: z.string().max(300).optional(),
});

/**
 * `GET`/`PUT /api/ops/switches`: kill switches and shadow mode. `PUT {"switches": {"provider:google": false}, "reason"?}`;
 * both answer `{"switches": {name: on}}` with every provider, queue and `shadow`, and the connections that are off.
 */
export function createSwitchApi({ db, flags }: Pick<OpsDeps, 'db' | 'flags'>): Router {
  const router = Router();
  const answer = async () => {
    const switches = await listKillSwitches(db);
    return { switches: Object.fromEntries(switches.map(({ name, isOn }) => [name, isOn])) };
  };
  router.get('/', async (_request, response) => void response.json(await answer()));
  router.put('/', async (request, response) => {
    const parsed = change.safeParse(request.body);
    const unknown = parsed.success ? Object.keys(parsed.data.switches).find((name) => !isSwitchName(name)) : undefined;
    if (!parsed.success || unknown !== undefined) {
      return sendError(
        response,
        400,
        'invalid_switches',
        'switches are provider:, queue: or connection:<id>, or shadow',
      );
    }
    const changedBy = operatorOf(response).name;
    const reason = parsed.data.reason ?? null;
    await turnSwitches(
      db,
      Object.entries(parsed.data.switches).map(([name, isOn]) => ({ name, isOn, changedBy, reason })),
    );
    await flags.refresh();
    response.json(await answer());
  });
  return router;
}
