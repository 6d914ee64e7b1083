/** A server on 127.0.0.1 that answers as a test says and remembers what it was asked. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AskedRequest {
  readonly method: string;
  /** Path and query, decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Parsed JSON; null for none. */
  readonly body: Record<string, unknown> | null;
  /** The same for all requests that came over one connection. */
  readonly connection: number;
  /** Runs `task` when the asker hangs up. */
  onClose(task: () => void): void;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON, a string as it is. */
  readonly body?: unknown;
  /** Cut the connection instead of answering. */
  readonly hangUp?: boolean;
}

type Answer = Reply | ((request: AskedRequest) => Reply | Promise<Reply>);

export interface LocalServer {
  readonly baseUrl: string;
  readonly requests: AskedRequest[];
  /** `GET /v1.0/me/events`: method and path without query. Several answers are given one after the other, the last one for good. */
  on(route: string, ...answers: Answer[]): void;
  asked(route: string): AskedRequest[];
  close(): Promise<void>;
}

export async function startLocalServer(): Promise<LocalServer> {
  const routes = new Map<string, Answer[]>();
  const requests: AskedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    void answer(incoming, outgoing);
  });
  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await readRequest(incoming);
    requests.push(request);
    const answers = routes.get(`${request.method} ${request.path}`) ?? [{ status: 418, body: 'unexpected' }];
    const next = (answers.length > 1 ? answers.shift() : answers[0]) as Answer;
    const reply = typeof next === 'function' ? await next(request) : next;
    if (reply.hangUp) {
      incoming.socket.destroy();
      return;
    }
    const isText = typeof reply.body === 'string';
    outgoing.writeHead(reply.status ?? 200, {
      'content-type': isText ? 'text/html' : 'application/json',
      'request-id': 'req-1',
      ...reply.headers,
    });
    outgoing.end(isText ? reply.body : reply.body === undefined ? '' : JSON.stringify(reply.body));
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    on: (route, ...answers) => {
      routes.set(route, answers);
    },
    asked: (route) => requests.filter((request) => `${request.method} ${request.path}` === route),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readRequest(incoming: IncomingMessage): Promise<AskedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  return {
    method: incoming.method ?? '',
    path: decodeURIComponent(url.pathname),
    query: url.searchParams,
    headers: incoming.headers,
    text,
    body: text.startsWith('{') ? JSON.parse(text) : null,
    connection: incoming.socket.remotePort ?? 0,
    onClose: (task) => incoming.socket.once('close', task),
  };
}
