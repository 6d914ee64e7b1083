/** The baseline: Express 5 as it comes, with a handler that answers 200 and does nothing else. */
import express from 'express';

const app = express();
app.get('/', (_request, response) => {
  response.json({ ready: true });
});
app.post('/api/webhooks/calendar/google', (_request, response) => {
  response.sendStatus(200);
});
app.listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
