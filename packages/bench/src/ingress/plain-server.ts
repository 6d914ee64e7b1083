/** The plain version: the same proof, then one select, one update and one add per request. */
import { openQueues, QUEUE_NAMES } from '@bookiji/queues';
import { connectionIdOfChannel, isChannelProof } from '@bookiji/sync';
import express from 'express';
import postgres from 'postgres';

const { PORT = '0', DATABASE_URL = '', REDIS_URL = '', CHANNEL_SECRETS = '' } = process.env;
const sql = postgres(DATABASE_URL, { max: 10 });
const queues = openQueues({ kind: 'redis', url: REDIS_URL, prefix: '{plain}' }, () => undefined);
const secrets = CHANNEL_SECRETS.split(',');

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/', (_request, response) => {
  response.json({ ready: true });
});
app.post('/api/webhooks/calendar/google', async (request, response) => {
  const channelId = request.get('x-goog-channel-id') ?? '';
  const connectionId = connectionIdOfChannel(channelId);
  if (connectionId === null) return void response.sendStatus(400);
  if (!isChannelProof('google', channelId, request.get('x-goog-channel-token') ?? '', secrets))
    return void response.sendStatus(401);
  const [known] = await sql`SELECT id FROM external_calendar_connections WHERE id = ${connectionId}`;
  if (known === undefined) return void response.sendStatus(404);
  await sql`UPDATE external_calendar_connections
               SET requested = requested + 1, last_webhook_received_at = now() WHERE id = ${connectionId}`;
  await queues
    .queue(QUEUE_NAMES.inboundSync)
    .add(
      'sync',
      { connection_id: connectionId },
      { jobId: `${channelId}:${request.get('x-goog-message-number')}`.replaceAll(':', '-') },
    );
  response.json({ processed: true, connection_id: connectionId });
});
app.listen(Number(PORT));
process.on('SIGTERM', () => process.exit(0));
