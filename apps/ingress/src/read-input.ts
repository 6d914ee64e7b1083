import type { Response } from 'express';
import type { z } from 'zod';
import { sendError } from './errors.ts';

/** The body as this schema reads it; null when the caller has been told the first field at fault, with 400. */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  body: unknown,
  response: Response,
  code: string,
): z.output<Schema> | null {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  sendError(response, 400, code, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}`);
  return null;
}
