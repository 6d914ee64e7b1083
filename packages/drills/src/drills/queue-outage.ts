import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { announce, inventBooking, untilShown } from '../scene/bookings.ts';
import { connectProvider } from '../scene/connect.ts';
import { openNotifier } from '../scene/notifier.ts';
import { readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];

export const queueOutage: Drill = {
  name: 'queue-outage',
  title: 'Without its queue the fleet still acknowledges, and finds all work again in its database',
  proves: ['R-2', 'W-7'],
  needs: ['sandbox', 'owned'],
  phase: 'alone',
  async run(scene) {
    const { notes } = scene;
    const provider = await connectProvider(scene, 'google');
    await untilQuiet(scene, provider.connectionId);
    const notifier = await openNotifier(scene, provider);
    const queue = await loseQueue(scene);
    notes.did(queue.did);

    const statuses = [];
    for (let key = 1; key <= 5; key += 1) statuses.push((await notifier.send(key)).status);
    notes.saw('[W-7] notifications are acknowledged, since the intent is on disk', statuses, [200, 200, 200, 200, 200]);
    await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Swim'), ...slotAt(1) });
    const booking = inventBooking(scene, provider);
    const accepted = await announce(scene, booking.make(1, 'booking.created', slotAt(4)));
    notes.saw('[R-2] a booking is accepted over HTTP', accepted, { status: 202, accepted: true });
    await scene.until('the calendar’s own notification', async () => {
      return (await readConnection(scene, provider.connectionId)).deliveries >= 6;
    });
    if (queue.isAway) {
      const waiting = await readConnection(scene, provider.connectionId);
      notes.saw('[R-2] the work is on disk', waiting.sync_needed, true);
    }

    await queue.restore();
    const changeMs = await untilFree(scene, provider, SLOTS, [slotAt(0), slotAt(2)]);
    const bookingMs = await untilShown(scene, provider.calendar, booking, slotAt(4));
    notes.did('brought the queue back, empty', {
      milliseconds_until_synced: changeMs,
      milliseconds_until_booked: bookingMs,
    });
    const after = await readWhenQuiet(scene, provider.connectionId);
    notes.saw(
      '[W-7] [R-2] the sweep found the work, nothing failed',
      [after.sync_needed, after.last_error],
      [false, null],
    );
    const twice = await notifier.send(1);
    notes.saw('[W-7] what was acknowledged is a duplicate now', twice.body.reason, 'duplicate');
  },
};

/** Redis goes away and comes back empty; where the queue lives in PostgreSQL it only loses all its jobs. */
async function loseQueue(scene: Scene): Promise<{ did: string; isAway: boolean; restore: () => Promise<void> }> {
  const { redisServer, database } = scene.owned;
  const forget = async () => {
    const tables = await database.sql<{ name: string }[]>`
      SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
       WHERE schemaname = 'bullmq' AND tablename LIKE '%job%'`;
    // biome-ignore lint/plugin: names of tables, from the catalogue
    if (tables.length > 0) await database.sql.unsafe(`TRUNCATE ${tables.map(({ name }) => name).join(', ')} CASCADE`);
  };
  if (redisServer === null) {
    await forget();
    return { did: 'no Redis is installed here: emptied the queue in PostgreSQL', isAway: false, restore: forget };
  }
  await redisServer.takeAway();
  let isAway = true;
  const restore = async () => {
    if (!isAway) return;
    isAway = false;
    await redisServer.restore();
  };
  scene.cleanUp('the missing Redis', restore);
  return { did: 'took Redis away', isAway: true, restore };
}
