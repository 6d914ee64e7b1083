/** `POST /api/calendar/connect-links`: a link with which one provider connects one calendar, once. */
import { CALENDAR_PROVIDERS } from '@bookiji/providers/contract';
import { createConnectClaims, isReturnTo, signClaims } from '@bookiji/sync';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { IngressDeps } from '../deps.ts';
import { mayConnect } from '../may-connect.ts';
import { readInput } from '../read-input.ts';

const linkRequest = z.object({
  provider_id: z.guid(),
  calendar_provider: z.enum(CALENDAR_PROVIDERS),
  return_to: z.string().max(2_000).refine(isReturnTo, 'must be an absolute http(s) URL').nullish(),
});

export function createConnectLinks(deps: IngressDeps): RequestHandler {
  return (request, response) => {
    const wish = readInput(linkRequest, request.body, response, 'invalid_connect_link');
    if (wish === null) return;
    const { calendar_provider: calendarProvider, return_to: returnTo = null } = wish;
    const providerId = wish.provider_id.toLowerCase();
    if (!mayConnect(deps, providerId, response)) return;
    const claims = createConnectClaims({ providerId, calendarProvider, returnTo }, deps.now().getTime() / 1000);
    const token = signClaims('connect-link', claims, deps.channelSecrets);
    response.status(201).json({
      url: `${deps.publicBaseUrl}/api/auth/${calendarProvider}/calendar?token=${encodeURIComponent(token)}`,
      expires_at: new Date(claims.expiresAt * 1000).toISOString(),
    });
  };
}
