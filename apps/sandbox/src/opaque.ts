import type { z } from 'zod';

/** Cursors are opaque to clients; to us they are small documents. */
export function sealOpaque(document: unknown): string {
  return Buffer.from(JSON.stringify(document)).toString('base64url');
}

/** @returns null for anything that is not one of ours. */
export function openOpaque<Shape extends z.ZodType>(token: string, shape: Shape): z.output<Shape> | null {
  try {
    return shape.parse(JSON.parse(Buffer.from(token, 'base64url').toString('utf8')));
  } catch {
    return null;
  }
}
