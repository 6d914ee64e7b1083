import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { inventBooking, untilShown } from '../scene/bookings.ts';
import { connectProvider } from '../scene/connect.ts';
import { openNotifier } from '../scene/notifier.ts';
import { readSample } from '../scene/processes.ts';
import { readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import { slotAt } from '../scene/slots.ts';

const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];

export const databaseOutage: Drill = {
  name: 'database-outage',
  title: 'Without its database the fleet acknowledges nothing, and does everything once it is back',
  proves: ['R-2', 'W-7'],
  needs: ['sandbox', 'owned'],
  phase: 'alone',
  async run(scene) {
    const { notes, owned } = scene;
    const provider = await connectProvider(scene, 'google');
    await untilQuiet(scene, provider.connectionId);
    const notifier = await openNotifier(scene, provider);
    const before = await readConnection(scene, provider.connectionId);
    const countErrors = () => readSample(scene, 'ingress', 'calendar_store_errors_total', { store: 'database' });
    const errorsBefore = await countErrors();
    const linesBefore = owned.lines.length;

    await owned.databaseServer.takeAway();
    let isAway = true;
    const restore = async () => {
      if (!isAway) return;
      isAway = false;
      await owned.databaseServer.restore();
    };
    scene.cleanUp('the missing database', restore);
    const refused = await notifier.send(1);
    notes.saw('[W-7] a notification is not acknowledged', refused.status, 503);
    const sync = await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
    notes.saw('[R-2] nor is anything else', sync.status, 503);
    await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Swim'), ...slotAt(1) });
    const booking = inventBooking(scene, provider);
    const event = booking.make(1, 'booking.created', slotAt(4));
    // On Redis it waits there; on the database's own queue its service keeps it, as its outbox does.
    const isQueued = owned.redisServer !== null;
    if (isQueued) await owned.desk.publish(event);
    notes.did('took PostgreSQL away; changed the calendar and booked meanwhile', { booking_queued: isQueued });
    await scene.until('ingress to say that it is not ready', async () => {
      return (await fetch(`${owned.urls.ingress}/readyz`)).status === 503;
    });

    await restore();
    await owned.ready();
    if (!isQueued) await owned.desk.publish(event);
    const changeMs = await untilFree(scene, provider, SLOTS, [slotAt(0), slotAt(2)]);
    const bookingMs = await untilShown(scene, provider.calendar, booking, slotAt(4));
    notes.did('brought PostgreSQL back', { milliseconds_until_synced: changeMs, milliseconds_until_booked: bookingMs });
    notes.judged('[R-2] what happened meanwhile was done afterwards', true, [changeMs, bookingMs], 'both done');

    const [again, twice] = [await notifier.send(1), await notifier.send(1)];
    notes.saw(
      "[W-7] the calendar provider's next try is processed once",
      [again.status, again.body.reason ?? null, twice.body.reason],
      [200, null, 'duplicate'],
    );
    const after = await readWhenQuiet(scene, provider.connectionId);
    notes.saw(
      '[R-2] nothing partial: one more busy interval, no error left',
      [after.intervals - before.intervals, after.last_error],
      [1, null],
    );
    const counted = (await countErrors()) - errorsBefore;
    notes.judged('[R-2] the failures were counted', counted > 0, counted, 'more than none');
    const logged = owned.lines.slice(linesBefore).filter(({ line }) => line.includes('could not be stored')).length;
    notes.judged('[R-2] and logged', logged > 0, logged, 'at least one line');
  },
};
