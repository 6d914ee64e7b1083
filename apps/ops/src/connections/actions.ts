/** What an operator may do with one connection; each is audited. */
import {
  type Connection,
  endChannels,
  hastenBookings,
  requestDisconnect,
  requestSync,
  turnSwitches,
  writeAudit,
} from '@bookiji/db';
import { switchName } from '@bookiji/flags';
import { ringInboundSyncs, ringOutboundSyncs, ringRetry } from '@bookiji/queues';
import type { OpsDeps } from '../deps.ts';

export const ACTIONS = ['sync', 'pause', 'resume', 'reopen-channel', 'disconnect'] as const;
export type Action = (typeof ACTIONS)[number];

/** What the page says afterwards. */
export const DONE: Readonly<Record<Action, string>> = {
  sync: 'A sync was asked for, and bookings that waited are tried again. This page follows.',
  pause: 'Paused. Work in flight ends; what becomes due waits.',
  resume: 'Resumed. What waited is taken up within seconds.',
  'reopen-channel': 'The channel is extended or replaced within seconds.',
  disconnect: 'Disconnecting: the channel is closed, the grant withdrawn, and the connection forgotten.',
};

export function isAction(name: string): name is Action {
  return (ACTIONS as readonly string[]).includes(name);
}

export async function takeAction(
  deps: OpsDeps,
  wish: {
    readonly action: Action;
    readonly connection: Connection;
    readonly actor: string;
    readonly reason: string | null;
  },
): Promise<void> {
  const { action, connection, actor, reason } = wish;
  const { id } = connection;
  const note = (name: string) =>
    writeAudit(deps.db, { actor, action: name, subject: id, details: reason === null ? {} : { reason } });
  switch (action) {
    case 'sync': {
      await requestSync(deps.db, [id], 'manual');
      const bookingIds = await hastenBookings(deps.db, id);
      await note('sync_requested');
      return ring(deps, async () => {
        await ringInboundSyncs(deps.queues, [id]);
        await ringOutboundSyncs(
          deps.queues,
          bookingIds.map((bookingId) => ({ booking_id: bookingId, connection_id: id })),
        );
      });
    }
    case 'pause':
    case 'resume':
      await turnSwitches(deps.db, [
        { name: switchName('connection', id), isOn: action === 'resume', changedBy: actor, reason },
      ]);
      return deps.flags.refresh();
    case 'reopen-channel':
      await endChannels(deps.db, id);
      await note('channel_reopened');
      return ring(deps, () => ringRetry(deps.queues, [{ task: 'keep_channel', connection_id: id }]));
    case 'disconnect':
      await requestDisconnect(deps.db, id);
      await note('disconnect_requested');
      return ring(deps, () => ringRetry(deps.queues, [{ task: 'disconnect', connection_id: id }]));
  }
}

/** The wish is stored already; a lost ring costs a sweep's interval. */
async function ring(deps: OpsDeps, send: () => Promise<void>): Promise<void> {
  await send().catch(() => deps.metrics.ringsLost.inc());
}
