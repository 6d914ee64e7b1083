/**
 * The HTTP server around the app. Slow senders are cut off, and what never becomes a request is refused in the same
 * shape as everything else: a notification is a few headers and a few kilobytes.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Shapes } from './shapes.ts';

export interface ServerLimits {
  /** From the connection, or the last answer, to the end of the headers. */
  readonly headersMs: number;
  /** To the end of the body. */
  readonly requestMs: number;
  /** How often slow ones are looked for; Node's own half a minute would keep them that much longer. */
  readonly lookEveryMs: number;
}

const LIMITS: ServerLimits = { headersMs: 5_000, requestMs: 15_000, lookEveryMs: 1_000 };

const REFUSALS: Readonly<Record<string, readonly [number, string, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'too_slow', 'the request took too long to arrive'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'headers_too_large', 'the headers are too large'],
};
const UNREADABLE = [400, 'Bad Request', 'unreadable_request', 'the request could not be read'] as const;

export interface ServerOptions {
  readonly limits?: ServerLimits | undefined;
  readonly shapes?: Shapes;
}

/** @param onRefused told the code of each request that never reached the app whole. */
export function createIngressServer(
  app: RequestListener,
  onRefused: (code: string) => void,
  { limits = LIMITS, shapes = {} }: ServerOptions = {},
): Server {
  const answering = new WeakMap<Duplex, ServerResponse>();
  const answer: RequestListener = (request, response) => {
    answering.set(request.socket, response);
    app(request, response);
  };
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.lookEveryMs,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16_384,
      ...shapes,
    },
    answer,
  );
  // Of a header that nobody here understands Node itself would say 417, without a request id.
  server.on('checkExpectation', answer);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const [status, phrase, code, message] = REFUSALS[error.code ?? ''] ?? UNREADABLE;
    const response = answering.get(socket);
    const isAnswered = response?.headersSent === true && !response.writableFinished;
    // A sender that is gone hears nothing; in the middle of an answer there is no room for another.
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswered) return void socket.destroy();
    onRefused(code);
    const body = JSON.stringify({ error: { code, message } });
    socket.end(
      `HTTP/1.1 ${status} ${phrase}\r\nx-request-id: ${randomUUID()}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
  });
  return server;
}
