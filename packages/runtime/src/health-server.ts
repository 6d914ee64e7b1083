import { randomUUID } from 'node:crypto';
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

/** The caller's own when it is a sane one, else a new one; every answer carries it. */
export function nameRequest(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

export const HEALTH_PATHS: readonly string[] = ['/healthz', '/readyz', '/metrics'];

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
  const { status, contentType, body } = await answerRequest(request, answers);
  response.writeHead(status, {
    'x-request-id': nameRequest(request.headers['x-request-id']),
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerRequest({ url = '/', method }: IncomingMessage, answers: HealthAnswers): Promise<HealthAnswer> {
  const path = url.split('?')[0] ?? '/';
  const isKnown = HEALTH_PATHS.includes(path);
  if (!isKnown) return json(404, { error: { code: 'not_found', message: 'no such path' } });
  if (method !== 'GET' && method !== 'HEAD')
    return json(405, { error: { code: 'method_not_allowed', message: 'this path takes GET' } });
  const answer = await answerHealth(path, answers).catch(() => null);
  return answer ?? json(500, { error: { code: 'internal', message: 'failed' } });
}
