/** A million repeats of one notification: what they cost to refuse, and how many syncs come of them. */
import { recordDeliveries } from '@bookiji/db';
import { openQueues, ringInboundSyncs } from '@bookiji/queues';
import { createChannelId } from '@bookiji/sync';
import { openCast } from './cast.ts';
import { type Bench, round } from './figures.ts';

const REPEATS = 1_000_000;
const BATCH = 500;
const NO_LISTS = { providerIds: null, connectionIds: null };

export const duplicatesBench: Bench = {
  name: 'duplicates',
  about: `${REPEATS} repeats of one notification, taken in and rung for as ingress does, then a worker started`,
  async run(stage) {
    const cast = await openCast(stage);
    const queues = openQueues(
      { kind: 'redis', url: stage.redisUrl, prefix: cast.environment.QUEUE_PREFIX ?? '' },
      () => undefined,
    );
    try {
      const calendar = await cast.connect();
      const { connectionId } = calendar;
      const channelId = createChannelId(connectionId);
      await cast.database.sql`
        INSERT INTO channels (id, connection_id, calendar_provider, state) VALUES (${channelId}, ${connectionId}, 'google', 'active')`;
      const notification = {
        connectionId,
        channelId,
        resourceId: null,
        subscriptionId: null,
        deliveryKey: `${channelId}:7`,
      };
      const batch = Array.from({ length: BATCH }, () => notification);
      const startedAt = performance.now();
      for (let sent = 0; sent < REPEATS; sent += BATCH) {
        await recordDeliveries(cast.database.db, batch, NO_LISTS);
        // As if every statement had found the connection clean.
        await ringInboundSyncs(queues, [connectionId]);
      }
      const seconds = (performance.now() - startedAt) / 1_000;
      await cast.sandbox.order('DELETE', '/requests');
      await cast.start('inbound-worker');
      await cast.settled([connectionId], 60_000);
      const [runs] = await cast.database.sql`SELECT count(*) AS n FROM sync_runs WHERE connection_id = ${connectionId}`;
      return {
        figures: [{ name: 'repeats a second, from one caller', value: Math.round(REPEATS / seconds), unit: '1/s' }],
        ratios: [{ name: `syncs of ${REPEATS} repeats`, value: round(Number(runs?.n), 0), target: { atMost: 1 } }],
      };
    } finally {
      await queues.close();
      await cast.close();
    }
  },
};
