import type { CalendarProvider } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { connectProvider, readStatus } from '../scene/connect.ts';
import { listRequests } from '../scene/faults.ts';
import { keepCredentials } from '../scene/keep-credentials.ts';
import { untilSwept } from '../scene/processes.ts';
import { readConnection, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

export const revokedGrant: Drill = {
  name: 'revoked-grant',
  title: 'A revoked grant parks its connection, is not asked for again, and heals when its owner connects anew',
  proves: ['R-3'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    await Promise.all([playAt(scene, 'google'), playAt(scene, 'microsoft')]);
  },
};

async function playAt(scene: Scene, at: CalendarProvider): Promise<void> {
  const { notes } = scene;
  const provider = await connectProvider(scene, at);
  const { email } = provider.calendar;
  await untilQuiet(scene, provider.connectionId);
  await scene.sandbox.order('POST', '/grants/revoke', { calendar_provider: at, email });
  await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Choir'), ...slotAt(1) });
  await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
  const parkedMs = await scene.until('the connection to be parked', async () => {
    return (await readStatus(scene, provider)).status === 'reauth_required';
  });
  notes.did(`${at}: revoked the grant, then asked for a sync`, { milliseconds: parkedMs });
  const parked = await readConnection(scene, provider.connectionId);
  notes.judged(
    `[R-3] ${at}: it is parked with a reason`,
    Boolean(parked.status_reason),
    parked.status_reason,
    'a reason',
  );

  const before = (await listRequests(scene, email)).length;
  await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
  await untilSwept(scene, 'due_connections', 6);
  const after = (await listRequests(scene, email)).length;
  notes.saw(
    `[R-3] ${at}: six sweeps and a person's wish later nobody has asked the calendar provider`,
    after - before,
    0,
  );
  const slots = [slotAt(0), slotAt(1)];
  const answer = await scene.ingress.availability(provider.providerId, slots);
  notes.saw(
    `[R-3] ${at}: availability says that it cannot be relied on`,
    [answer.trusted, answer.evidence[0]?.reason],
    [false, 'revoked'],
  );

  const again = await scene.ingress.connectCalendar(provider.providerId, at, email);
  const ms = await untilFree(scene, provider, slots, [slotAt(0)]);
  await keepCredentials(scene.target, provider.connectionId);
  notes.did(`${at}: its owner connected again`, { milliseconds: ms });
  const healed = await readStatus(scene, provider);
  notes.saw(
    `[R-3] ${at}: the same connection is active again`,
    [again === provider.connectionId, healed.status],
    [true, 'active'],
  );
}
