import type { Response } from 'express';

/** The one shape of an error: a stable code and a sentence, never internals. */
export function sendError(response: Response, status: number, code: string, message: string): void {
  response.status(status).json({ error: { code, message } });
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
