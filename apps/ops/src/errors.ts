import type { Request, Response } from 'express';
import type { Operator } from './access/login.ts';
import { renderProblem } from './html/problem-page.ts';

/**
 * The one shape of an error: a stable code and a sentence, never internals. A person in a browser gets the sentence on a
 * page with a way back, programs get JSON.
 */
export function sendError(response: Response, status: number, code: string, message: string): void {
  response.status(status);
  if (!isPerson(response.req)) {
    response.json({ error: { code, message } });
    return;
  }
  const operator = (response.locals.operator as Operator | undefined) ?? null;
  response.type('html').send(renderProblem({ status, message, operator }));
}

/** Whoever prefers HTML on a page of ours; the routes for programs answer JSON to everybody. */
export function isPerson(request: Request): boolean {
  const isForPrograms = /^\/(queues\/)?api\//.test(request.originalUrl);
  return !isForPrograms && request.accepts(['json', 'html']) === 'html';
}
