import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { sendError } from './errors.ts';

/** Lets through who carries one of the tokens; all are compared, in constant time. */
export function requireApiToken(tokens: readonly string[]): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const known = tokens.map(digest);
  return (request, response, next) => {
    const [, token = ''] = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = digest(token);
    const isKnown = known.reduce((found, one) => timingSafeEqual(one, given) || found, false);
    if (isKnown) return next();
    response.setHeader('www-authenticate', 'Bearer');
    sendError(response, 401, 'unauthorized', 'an API token is needed');
  };
}
