import { randomUUID } from 'node:crypto';
import type { Drill } from '../drill.ts';
import { announce, inventBooking, shownEvents, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { openNotifier } from '../scene/notifier.ts';
import { untilSwept } from '../scene/processes.ts';
import { readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

export const allowlists: Drill = {
  name: 'allowlists',
  title: 'Who is on no list is refused everywhere; who leaves a list keeps the rows and waits',
  proves: ['F-2', 'W-6'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    const provider = await connectProvider(scene, 'google');
    await playAtTheDoor(scene, provider);
    await playInWorkers(scene, provider);
  },
};

/** Two more ingress: on one the provider has left the list, on the other the connection. */
async function playAtTheDoor(scene: Scene, provider: DrilledProvider): Promise<void> {
  const before = await readWhenQuiet(scene, provider.connectionId);
  const notifier = await openNotifier(scene, provider);
  for (const list of ['CALENDAR_ALLOWLIST_PROVIDER_IDS', 'CALENDAR_ALLOWLIST_CONNECTION_IDS'] as const) {
    const beside = await scene.owned.startBeside('ingress', { [list]: randomUUID() });
    scene.cleanUp('ingress with another list', () => beside.stop());
    const token = scene.owned.environment.API_TOKENS?.split(',')[0] ?? '';
    const sync = await fetch(`${beside.url}/api/calendar/sync`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ provider_id: provider.providerId }),
    });
    const hook = await notifier.send(1, {}, beside.url);
    scene.notes.saw(`[F-2] [W-6] not on ${list}: sync, notification`, [sync.status, hook.status], [403, 403]);
  }
  const after = await readConnection(scene, provider.connectionId);
  scene.notes.saw('[F-2] the rows are as they were', after, before);
  const accepted = await notifier.send(1);
  scene.notes.saw('[F-2] where it is on the list it is taken', accepted.status, 200);
  await untilQuiet(scene, provider.connectionId);
}

/** The provider leaves the list that the workers know: its row gets an id that is on none. */
async function playInWorkers(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { connectionId, calendar } = provider;
  const { sql } = scene.owned.database;
  const stranger = randomUUID();
  const turnInto = async (providerId: string) => {
    await sql`UPDATE external_calendar_connections SET provider_id = ${providerId} WHERE id = ${connectionId}`;
    await sql`UPDATE external_calendar_events SET provider_id = ${providerId} WHERE connection_id = ${connectionId}`;
  };
  scene.cleanUp('the made-up provider', () => turnInto(provider.providerId));
  await turnInto(stranger);
  const before = await readConnection(scene, connectionId);
  const booking = inventBooking(scene, { providerId: stranger });
  await announce(scene, booking.make(1, 'booking.created', slotAt(5)));
  await sql`UPDATE external_calendar_connections SET requested = requested + 1 WHERE id = ${connectionId}`;
  await untilSwept(scene, 'due_connections', 4);
  await untilSwept(scene, 'due_bookings', 4);
  const waiting = await readConnection(scene, connectionId);
  const shown = await shownEvents(scene, calendar, booking);
  scene.notes.did('asked for work while the provider was on no list');
  scene.notes.saw(
    '[F-2] workers did nothing for it: syncs, events in the calendar, still wanted',
    [waiting.runs - before.runs, shown.length, waiting.sync_needed],
    [0, 0, true],
  );
  await turnInto(provider.providerId);
  const ms = await untilShown(scene, calendar, booking, slotAt(5));
  scene.notes.did('put it on the list again', { milliseconds: ms });
  const after = await readWhenQuiet(scene, connectionId);
  scene.notes.saw('[F-2] back on the list, what waited was done', after.sync_needed, false);
}
