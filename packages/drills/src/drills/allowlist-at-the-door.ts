import { randomUUID } from 'node:crypto';
import type { Drill } from '../drill.ts';

export const allowlistAtTheDoor: Drill = {
  name: 'allowlist-at-the-door',
  title: 'A provider whom nobody has put on the list can neither connect nor be synced',
  proves: ['F-2'],
  needs: [],
  phase: 'calm',
  async run(scene) {
    const stranger = randomUUID();
    for (const at of ['google', 'microsoft'] as const) {
      const link = await scene.ingress.request('POST', '/api/calendar/connect-links', {
        provider_id: stranger,
        calendar_provider: at,
      });
      scene.notes.saw(`[F-2] ${at}: no connect link for a stranger`, link.status, 403);
    }
    const sync = await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: stranger });
    scene.notes.saw('[F-2] no sync for a stranger', sync.status, 403);
    const known = await scene.ingress.connections(stranger);
    scene.notes.saw('[F-2] nothing was written for the stranger', known, []);
  },
};
