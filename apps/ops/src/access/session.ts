/** The door: who comes in, who may change something, and from where. */
import { writeOperatorLog } from '@bookiji/db';
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import type { OpsDeps } from '../deps.ts';
import { sendError } from '../errors.ts';
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
  router.get('/', (_request, response) => void response.type('html').send(renderLogin(null)));
  router.post('/', express.urlencoded({ extended: false, limit: '4kb' }), async (request, response) => {
    const wait = deps.throttle.waitSeconds(addressOf(request), deps.now().getTime());
    if (wait > 0) {
      response.setHeader('retry-after', String(wait));
      response
        .status(429)
        .type('html')
        .send(renderLogin(`Too many wrong tokens. Try again in ${wait} seconds.`));
      return;
    }
    const body = (request.body ?? {}) as Record<string, unknown>;
    const form = { password: String(body.password ?? ''), name: String(body.name ?? '') };
    const opened = deps.login.open(form, deps.now().getTime() / 1000, deps.isSecure);
    if (opened === null) {
      noteRefusal(deps, request);
      response.status(401).type('html').send(renderLogin('That token is not known here.'));
      return;
    }
    deps.logger.info({ outcome: 'logged_in', operator: opened.operator.name }, 'operator logged in');
    // Being let in does not depend on the database: it may be what the operator has come to look at.
    await writeOperatorLog(deps.db, { actor: opened.operator.name, action: 'logged_in', subject: 'console' }).catch(
      (error: unknown) => deps.logger.warn({ err: error }, 'the login could not be written into the operator log'),
    );
    response.setHeader('set-cookie', opened.cookie);
    response.redirect(303, '/');
  });
  return router;
}

/** Everything behind this has an operator in `response.locals`. */
export function requireLogin(deps: OpsDeps): RequestHandler {
  return (request, response, next) => {
    const { authorization, cookie } = request.headers;
    const wait = authorization === undefined ? 0 : deps.throttle.waitSeconds(addressOf(request), deps.now().getTime());
    if (wait > 0) {
      response.setHeader('retry-after', String(wait));
      return sendError(response, 429, 'too_many_failures', `too many wrong tokens; try again in ${wait} seconds`);
    }
    const operator = deps.login.identify({ authorization, cookie }, deps.now().getTime() / 1000);
    if (operator !== null) {
      response.locals.operator = deps.isReadOnly ? { ...operator, mayChange: false } : operator;
      response.setHeader('cache-control', 'no-store');
      return next();
    }
    if (authorization !== undefined) noteRefusal(deps, request);
    if (request.method === 'GET' && request.accepts(['json', 'html']) === 'html' && authorization === undefined) {
      return response.redirect(303, '/login');
    }
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

function noteRefusal(deps: OpsDeps, request: Request): void {
  deps.throttle.noteFailure(addressOf(request), deps.now().getTime());
  deps.logger.warn({ outcome: 'login_refused', remote_address: addressOf(request) }, 'login refused');
}

function addressOf(request: Request): string {
  return request.socket.remoteAddress ?? 'unknown';
}
