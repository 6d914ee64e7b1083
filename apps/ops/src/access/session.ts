/** The door: who comes in, who may change something, and from where. */
import { writeOperatorLog } from '@bookiji/db';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { OpsDeps } from '../deps.ts';
import { isPerson, sendError } from '../errors.ts';
import type { Operator } from './login.ts';
import { renderLogin } from './login-page.ts';
import { isSameOrigin } from './same-origin.ts';

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** A change whose browser says that it comes from somebody else's page, whatever credentials it carries. */
export const refuseForeignChanges: RequestHandler = (request, response, next) => {
  const { origin, host } = request.headers;
  const fetchSite = request.get('sec-fetch-site');
  if (READS.includes(request.method) || isSameOrigin({ origin, host, fetchSite })) return next();
  sendError(response, 403, 'foreign_origin', 'changes are taken from our own pages only');
};

/** `GET` and `POST /login`; open to everybody. */
export function createLoginRoutes(deps: OpsDeps): Router {
  const router = Router();
  router.get('/', (request, response) => {
    response.type('html').send(renderLogin({ problem: null, to: readPlace(request.query.to) }));
  });
  router.post('/', express.urlencoded({ extended: false, limit: '4kb' }), async (request, response) => {
    const body = (request.body ?? {}) as Record<string, unknown>;
    const form = { password: String(body.password ?? ''), name: String(body.name ?? '') };
    const to = readPlace(body.to);
    const opened = deps.login.open(form, deps.now().getTime() / 1000, deps.isSecure);
    if (opened === null) {
      const wait = await noteRefusal(deps, request, response);
      const problem =
        wait > 0 ? `Too many wrong tokens; try again in ${wait} seconds.` : 'That token is not known here.';
      response
        .status(wait > 0 ? 429 : 401)
        .type('html')
        .send(renderLogin({ problem, to }));
      return;
    }
    deps.logger.info({ outcome: 'logged_in', operator: opened.operator.name }, 'operator logged in');
    // Being let in does not depend on the database: it may be what the operator has come to look at.
    await writeOperatorLog(deps.db, { actor: opened.operator.name, action: 'logged_in', subject: 'console' }).catch(
      (error: unknown) => deps.logger.warn({ err: error }, 'the login could not be written into the operator log'),
    );
    response.setHeader('set-cookie', opened.cookie);
    response.redirect(303, to);
  });
  return router;
}

/** Everything behind this has an operator in `response.locals`. */
export function requireLogin(deps: OpsDeps): RequestHandler {
  return async (request, response, next) => {
    const { authorization, cookie } = request.headers;
    const operator = deps.login.identify({ authorization, cookie }, deps.now().getTime() / 1000);
    if (operator !== null) {
      response.locals.operator = deps.isReadOnly ? { ...operator, mayChange: false } : operator;
      response.setHeader('cache-control', 'no-store');
      return next();
    }
    if (authorization === undefined && isPerson(request)) return response.redirect(303, loginFor(request));
    const wait = authorization === undefined ? 0 : await noteRefusal(deps, request, response);
    if (wait > 0)
      return sendError(response, 429, 'too_many_failures', `too many wrong tokens; try again in ${wait} seconds`);
    response.setHeader('www-authenticate', 'Basic realm="calsync ops", charset="UTF-8"');
    sendError(response, 401, 'unauthorized', 'an ops token is needed');
  };
}

/** Read-only mode: what is not a look is refused, logging out excepted. */
export const refuseChangesOfReaders: RequestHandler = (request, response, next) => {
  if (READS.includes(request.method) || request.path === '/logout' || operatorOf(response).mayChange) return next();
  sendError(response, 403, 'read_only', 'this login may look, not change');
};

export function operatorOf(response: Response): Operator {
  return response.locals.operator as Operator;
}

/** The form, which remembers what was asked for: a link from an alert leads there after the login. */
function loginFor({ method, originalUrl }: Request): string {
  return method !== 'GET' || originalUrl === '/' ? '/login' : `/login?to=${encodeURIComponent(originalUrl)}`;
}

/** A path of this console, never another site's address. */
function readPlace(to: unknown): string {
  const base = 'http://console.invalid';
  if (typeof to !== 'string' || !to.startsWith('/') || !URL.canParse(to, base)) return '/';
  const { origin, pathname, search } = new URL(to, base);
  // Without its dots a path may begin with two slashes, which browsers take for a host.
  return origin === base && !pathname.startsWith('//') ? `${pathname}${search}` : '/';
}

/** Seconds to wait, said in the answer too; 0 when the address may try again at once. */
async function noteRefusal(deps: OpsDeps, request: Request, response: Response): Promise<number> {
  const address = request.socket.remoteAddress ?? 'unknown';
  const wait = await deps.throttle.takeRefusal(address);
  if (wait > 0) response.setHeader('retry-after', String(wait));
  else deps.logger.warn({ outcome: 'login_refused', remote_address: address }, 'login refused');
  return wait;
}
