/** What stands before two of ingress: tries them in turn, signs notifications as a relay does, and counts refusals. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 200;
const WEBHOOKS = /^\/api\/webhooks\/calendar\/(google|microsoft)/;

export interface FrontDoor {
  readonly url: string;
  /** Everything that ingress refused or failed at: `401 POST /api/…`. */
  readonly refused: readonly string[];
  readonly answered: () => number;
  /** Which doors there are, and with which secret notifications are signed from now on. */
  lead(to: { readonly urls?: readonly string[]; readonly relaySecret?: string }): void;
  close(): Promise<void>;
}

export async function openFrontDoor(): Promise<FrontDoor> {
  let urls: readonly string[] = [];
  let relaySecret = '';
  let turn = 0;
  let answered = 0;
  const refused: string[] = [];

  const forward = async (request: IncomingMessage, body: Buffer): Promise<Response> => {
    const [, calendarProvider] = WEBHOOKS.exec(request.url ?? '') ?? [];
    const signature = createHmac('sha256', relaySecret).update(body).digest('hex');
    const headers = {
      ...plain(request),
      ...(calendarProvider === 'google' ? { 'x-goog-signature': signature } : {}),
      ...(calendarProvider === 'microsoft' ? { 'x-microsoft-graph-signature': signature } : {}),
    };
    for (let attempt = 1; ; attempt += 1) {
      turn += 1;
      const to = `${urls[turn % urls.length]}${request.url}`;
      try {
        const sent = body.length > 0 ? { body: new Uint8Array(body) } : {};
        return await fetch(to, { method: request.method ?? 'GET', headers, redirect: 'manual', ...sent });
      } catch (error) {
        // That one is being replaced: the other is asked, as a load balancer does.
        if (attempt === TRIES) throw error;
        await sleep(25);
      }
    }
  };

  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const answer = await forward(request, Buffer.concat(chunks));
      answered += 1;
      if (answer.status >= 400) refused.push(`${answer.status} ${request.method} ${request.url}`);
      const body = Buffer.from(await answer.arrayBuffer());
      const kept = [...answer.headers].filter(
        ([name]) => !/^(connection|keep-alive|transfer-encoding|content-encoding|content-length)$/.test(name),
      );
      response.writeHead(answer.status, kept.flat()).end(body);
    } catch {
      refused.push(`nobody answered ${request.method} ${request.url}`);
      response.writeHead(502).end();
    }
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    answered: () => answered,
    lead(to) {
      urls = to.urls ?? urls;
      relaySecret = to.relaySecret ?? relaySecret;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function plain(request: IncomingMessage): Record<string, string> {
  const kept = Object.entries(request.headers).filter(
    ([name]) => !['host', 'connection', 'content-length'].includes(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, String(value)]));
}
