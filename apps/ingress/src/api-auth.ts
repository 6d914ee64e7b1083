import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { RequestRefusal } from './errors.ts';
import { askToWait, type RateLimits, refuse } from './rate-limits.ts';

/** Lets through who carries one of the tokens, as often as it may; all are compared, in constant time. */
export function requireApiToken(tokens: readonly string[], limits: RateLimits): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const known = tokens.map(digest);
  return async (request, response, next) => {
    const [, token = ''] = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const given = digest(token);
    const position = known.reduce((found, one, at) => (timingSafeEqual(one, given) ? at : found), -1);
    if (position >= 0) {
      const wait = await limits.takeRequest(position);
      return wait > 0 ? askToWait(response, wait) : next();
    }
    response.setHeader('www-authenticate', 'Bearer');
    await refuse(limits, { request, response }, new RequestRefusal(401, 'unauthorized', 'an API token is needed'));
  };
}
