/** A sandbox on a free port, its admin API, and an address where notifications arrive. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSandbox, type PartialSettings, type Sandbox } from '../src/index.ts';

export type Json = Record<string, unknown>;

export interface Harness {
  readonly sandbox: Sandbox;
  readonly url: string;
  /** Calls the admin API; throws when it refuses. */
  admin<Answer = Json>(method: string, path: string, body?: unknown): Promise<Answer>;
  close(): Promise<void>;
}

export async function startSandbox(settings?: PartialSettings): Promise<Harness> {
  const sandbox = createSandbox(settings === undefined ? {} : { settings });
  const { url } = await sandbox.listen();
  return {
    sandbox,
    url,
    async admin<Answer>(method: string, path: string, body?: unknown) {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(`${url}/sandbox${path}`, init);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === '' ? {} : JSON.parse(text)) as Answer;
    },
    close: () => sandbox.close(),
  };
}

export interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: readonly Received[];
  /** Resolves when something arrived that `matches`. */
  next(matches: (received: Received) => boolean): Promise<Received>;
  /** How to answer from now on; by default 200, with Graph's handshake done. */
  answerWith(answer: (received: Received) => { status: number; body?: string; type?: string }): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let answer: (request: Received) => { status: number; body?: string; type?: string } = handshake;
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const one = { url: request.url ?? '', headers: request.headers, body };
      received.push(one);
      const { status, body: text = '', type = 'text/plain' } = answer(one);
      response.writeHead(status, { 'content-type': type }).end(text);
      for (const look of waiting) look();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    received,
    next(matches) {
      return new Promise((resolve) => {
        const look = () => {
          const found = received.find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      });
    },
    answerWith(next) {
      answer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** learn.microsoft.com/graph/change-notifications-delivery-webhooks: the token, decoded, as plain text. */
export function handshake({ url }: Received): { status: number; body?: string; type?: string } {
  const token = new URL(url, 'http://receiver').searchParams.get('validationToken');
  return token === null ? { status: 200 } : { status: 200, body: token, type: 'text/plain' };
}

/** The failure of something that must fail. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
