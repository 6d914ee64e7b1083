import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers when the process can do its work, throws when it cannot. */
export interface ReadinessCheck {
  readonly name: string;
  check(): Promise<void>;
}

export interface HealthAnswers {
  readonly readiness: readonly ReadinessCheck[];
  /** By queue, what its worker says; one that is `lost` makes the process one to restart. */
  readonly liveness?: () => Readonly<Record<string, string>>;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ contentType: string; text: string }>;
}

export interface HealthAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const json = (status: number, body: unknown): HealthAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});

/** The three paths every process has; null for any other. */
export async function answerHealth(path: string, answers: HealthAnswers): Promise<HealthAnswer | null> {
  switch (path) {
    case '/healthz':
      return answerLiveness(answers.liveness?.());
    case '/readyz':
      return answerReadiness(answers.readiness);
    case '/metrics': {
      const { contentType, text } = await answers.metrics();
      return { status: 200, contentType, body: text };
    }
    default:
      return null;
  }
}

function answerLiveness(queues: Readonly<Record<string, string>> | undefined): HealthAnswer {
  if (queues === undefined) return json(200, { status: 'ok' });
  const isLost = Object.values(queues).includes('lost');
  return json(isLost ? 503 : 200, { status: isLost ? 'lost' : 'ok', queues });
}

async function answerReadiness(checks: readonly ReadinessCheck[]): Promise<HealthAnswer> {
  const results = await Promise.all(
    checks.map(async ({ name, check }) => ({
      name,
      ok: await check().then(
        () => true,
        () => false,
      ),
    })),
  );
  const isReady = results.every(({ ok }) => ok);
  const parts = Object.fromEntries(results.map(({ name, ok }) => [name, ok ? 'ok' : 'unavailable']));
  return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'unavailable', checks: parts });
}

/** The health and metrics port of a process that serves nothing else. Listens on every interface if no `host` is given. */
export async function startHealthServer(options: { port: number; host?: string; answers: HealthAnswers }) {
  const server = createServer((request, response) => void respond(request, response, options.answers));
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host ?? '0.0.0.0', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, answers: HealthAnswers): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const answer = await answerHealth(path, answers).catch(() =>
    json(500, { error: { code: 'internal', message: 'failed' } }),
  );
  const { status, contentType, body } = answer ?? json(404, { error: { code: 'not_found', message: 'no such path' } });
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body);
}
