import { listOperatorLog, readSwitches, turnSwitches } from '@bookiji/db';
import { FLAG_NAMES, isFlagName } from '@bookiji/flags';
import { Router } from 'express';
import { z } from 'zod';
import { operatorOf } from '../access/session.ts';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';
import { isSwitchName, listKillSwitches } from './kill-switches.ts';
import { renderSwitches } from './switches-page.ts';

const LOG_ROWS = 40;

const change = z.object({
  name: z.string().refine((name) => isFlagName(name) || isSwitchName(name)),
  to: z.enum(['on', 'off']),
  reason: z.string().trim().min(1).max(300),
});

/** `/switches`: flags, kill switches and shadow mode, and who turned what. */
export function createSwitchPages(deps: OpsDeps): Router {
  const router = Router();
  router.get('/', async (request, response) => {
    const [switches, turned, operatorLog] = await Promise.all([
      listKillSwitches(deps.db),
      readSwitches(deps.db),
      listOperatorLog(deps.db, LOG_ROWS),
    ]);
    const flags = FLAG_NAMES.map((name) => ({
      name,
      isAllowed: deps.ceiling.flags[name],
      isOn: deps.ceiling.flags[name] && turned.get(name) !== false,
    }));
    const { providerIds, connectionIds } = deps.ceiling;
    const allowlists = { providers: providerIds?.length ?? null, connections: connectionIds?.length ?? null };
    const view = { now: deps.now(), flags, switches, allowlists, operatorLog };
    const notice =
      request.query.done === 'turned' ? 'Done. It takes effect in every process within two seconds.' : null;
    response.type('html').send(renderSwitches(view, operatorOf(response), notice));
  });
  router.post('/', async (request, response) => {
    const parsed = change.safeParse(request.body);
    if (!parsed.success)
      return sendError(response, 400, 'invalid_switch', 'a switch has a name, a direction and a reason');
    const { name, to, reason } = parsed.data;
    await turnSwitches(deps.db, [{ name, isOn: to === 'on', changedBy: operatorOf(response).name, reason }]);
    await deps.flags.refresh();
    response.redirect(303, '/switches?done=turned');
  });
  return router;
}
