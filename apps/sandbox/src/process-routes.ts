import { Router } from 'express';
import type { SandboxState } from './state.ts';

/** The three paths that every process has. */
export function processRoutes(state: SandboxState): Router {
  const router = Router();
  router.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  router.get('/readyz', (_request, response) => void response.json({ status: 'ready' }));
  router.get('/metrics', (_request, response) => void response.type('text/plain; version=0.0.4').send(metrics(state)));
  return router;
}

function metrics(state: SandboxState): string {
  const lines = [
    '# HELP sandbox_requests_total Requests to the stand-in providers by operation and status.',
    '# TYPE sandbox_requests_total counter',
    ...state.requests
      .counts()
      .map(
        ({ calendar_provider, operation, status, count }) =>
          `sandbox_requests_total{calendar_provider="${calendar_provider}",operation="${operation}",status="${status}"} ${count}`,
      ),
    '# HELP sandbox_writes_total Committed writes to the calendars.',
    '# TYPE sandbox_writes_total counter',
    `sandbox_writes_total ${state.history.length}`,
  ];
  return `${lines.join('\n')}\n`;
}
