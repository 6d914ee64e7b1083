import type { RequestHandler } from 'express';
import helmet from 'helmet';

const strict = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'", 'data:'],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'self'"],
  frameAncestors: ["'none'"],
};

/**
 * Nothing from elsewhere, nothing inline, in nobody's frame. Bull Board sets styles from its script, so below `/queues`
 * inline style is let through; script never is.
 *
 * @param isSecure whether operators come by https; only then may browsers be told to insist on it.
 */
export function setSecurityHeaders(isSecure: boolean): RequestHandler {
  const withPolicy = (styleSrc: string[]) =>
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { ...strict, styleSrc } },
      strictTransportSecurity: isSecure,
      xFrameOptions: { action: 'deny' },
      referrerPolicy: { policy: 'same-origin' },
    });
  const own = withPolicy(strict.styleSrc);
  const board = withPolicy(["'self'", "'unsafe-inline'"]);
  return (request, response, next) => {
    const isBoard = request.path === '/queues' || request.path.startsWith('/queues/');
    (isBoard ? board : own)(request, response, next);
  };
}
