/** The baseline: an Express 5 handler that answers 200 and does nothing else. */
import express from 'express';

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.get('/', (_request, response) => {
  response.json({ ready: true });
});
app.post('/api/webhooks/calendar/google', (_request, response) => {
  response.json({ processed: true });
});
app.listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
