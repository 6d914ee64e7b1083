import type { Response } from 'express';

/** The one shape of an error: a stable code and a sentence, never internals. */
export function sendError(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ error: { code, message } });
}
