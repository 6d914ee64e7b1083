import type { Request, Response } from 'express';
import { renderPage } from './page.ts';

/**
 * The one shape of an error: a stable code and a sentence, never internals. A person on the way to the consent page and back
 * gets the sentence on a page.
 */
export function sendError(response: Response, status: number, code: string, message: string): void {
  response.status(status);
  if (!isPerson(response.req)) {
    response.json({ error: { code, message } });
    return;
  }
  response.type('html').send(renderPage('Calendar not connected', asSentence(message)));
}

/** Whoever prefers HTML where people come by; all other routes are for programs. */
function isPerson(request: Request): boolean {
  return request.originalUrl.startsWith('/api/auth/') && request.accepts(['json', 'html']) === 'html';
}

function asSentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`;
}

/** A request that is refused, with everything its answer needs. */
export class RequestRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'RequestRefusal';
    this.status = status;
    this.code = code;
  }
}
