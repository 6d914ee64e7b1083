import type { RequestHandler, Response } from 'express';
import { z } from 'zod';

/** A wrong wish at the admin API. */
export class AdminError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface AdminCall {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** Runs an admin action and answers with what it returns, or with what was wrong. */
export function admin(action: (call: AdminCall) => unknown, status = 200): RequestHandler {
  return async (request, response) => {
    try {
      const at = request.originalUrl.indexOf('?');
      const query = new URLSearchParams(at < 0 ? '' : request.originalUrl.slice(at + 1));
      const body = readJson(request.body);
      const result = await action({ params: request.params as Record<string, string>, query, body });
      answer(response, result === undefined ? 204 : status, result);
    } catch (error) {
      answerFailure(response, error);
    }
  };
}

function readJson(text: unknown): unknown {
  if (typeof text !== 'string' || text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new AdminError(400, 'invalid_json', 'the body is no JSON');
  }
}

function answerFailure(response: Response, error: unknown): void {
  if (error instanceof AdminError) {
    answer(response, error.status, { error: { code: error.code, message: error.message } });
  } else if (error instanceof z.ZodError) {
    const message = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
    answer(response, 400, { error: { code: 'invalid', message } });
  } else {
    throw error;
  }
}

function answer(response: Response, status: number, body: unknown): void {
  if (status === 204) response.status(204).end();
  else response.status(status).json(body);
}
