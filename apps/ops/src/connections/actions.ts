/** What an operator may do with one connection; each stands in the operator log. */
import { switchName } from '@bookiji/flags';
import { ringAll } from '@bookiji/queues';
import { type Bells, disconnect, reopenChannel, requestSyncs, turnConnection } from '@bookiji/sync';
import type { OpsDeps } from '../deps.ts';

export const ACTIONS = ['sync', 'pause', 'resume', 'reopen-channel', 'disconnect'] as const;
export type Action = (typeof ACTIONS)[number];

/** What the page says afterwards. */
export const DONE: Readonly<Record<Action, string>> = {
  sync: 'Sync requested. Bookings that were waiting are tried again, too. This page keeps itself up to date.',
  pause: 'Paused. Work under way finishes; whatever comes due waits.',
  resume: 'Resumed. Whatever waited starts within seconds.',
  'reopen-channel': 'The push channel is renewed or replaced within seconds.',
  disconnect: 'Disconnecting: the channel is closed, the grant revoked, and the connection erased.',
};

export function isAction(name: string): name is Action {
  return (ACTIONS as readonly string[]).includes(name);
}

export async function takeAction(
  deps: OpsDeps,
  wish: {
    readonly action: Action;
    readonly connectionId: string;
    readonly actor: string;
    readonly reason: string | null;
  },
): Promise<void> {
  const { action, connectionId } = wish;
  switch (action) {
    case 'sync':
      return ring(deps, await requestSyncs(deps.db, [connectionId], wish));
    case 'pause':
    case 'resume': {
      const turn = { ...wish, switchName: switchName('connection', connectionId), isOn: action === 'resume' };
      await turnConnection(deps.db, connectionId, turn);
      return deps.flags.refresh();
    }
    case 'reopen-channel':
      return ring(deps, await reopenChannel(deps.db, connectionId, wish));
    case 'disconnect':
      return ring(deps, await disconnect(deps.db, connectionId, wish));
  }
}

/** The wish is stored already; a lost ring costs a sweep's interval. */
async function ring(deps: OpsDeps, bells: Bells | null): Promise<void> {
  if (bells !== null) await ringAll(deps.queues, bells).catch(() => deps.metrics.ringsLost.inc());
}
