import type { Response } from 'express';
import type { IngressDeps } from './deps.ts';
import { sendError } from './errors.ts';

/** Asked at every step of connecting; says no itself. The provider list alone counts: there is no connection yet. */
export function mayConnect(deps: IngressDeps, providerId: string, response: Response): boolean {
  if (!mayAnybodyConnect(deps, response)) return false;
  if (deps.flags.allows({ providerId })) return true;
  sendError(response, 403, 'not_allowlisted', 'this provider is not on the allowlist');
  return false;
}

/** Before it is known who comes. */
export function mayAnybodyConnect(deps: IngressDeps, response: Response): boolean {
  if (deps.flags.isOn('CALENDAR_OAUTH_ENABLED')) return true;
  sendError(response, 403, 'oauth_off', 'connecting is switched off');
  return false;
}
