import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { announce, inventBooking, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { orderFault } from '../scene/faults.ts';
import { readSample } from '../scene/processes.ts';
import { readConnection, untilQuiet } from '../scene/rows.ts';
import { slotAt } from '../scene/slots.ts';

/** Enough to fill the breaker's window. */
const AILING = 4;
const SLOTS = [slotAt(0), slotAt(1), slotAt(2)];

export const providerOutage: Drill = {
  name: 'provider-outage',
  title: 'While one calendar provider is down its breaker opens and the other goes on; recovery needs nobody',
  proves: ['R-1', 'I-5'],
  needs: ['sandbox', 'owned'],
  phase: 'alone',
  async run(scene) {
    const { notes, sandbox } = scene;
    const ailing: DrilledProvider[] = [];
    for (let count = 0; count < AILING; count += 1) ailing.push(await connectProvider(scene, 'google'));
    const well = await connectProvider(scene, 'microsoft');
    const [first] = ailing as [DrilledProvider];
    const title = () => scene.invent('title', 'Lunch');
    await sandbox.addEvent(first.calendar, { title: title(), ...slotAt(0) });
    await untilFree(scene, first, SLOTS, SLOTS.slice(1));
    for (const { connectionId } of ailing) await untilQuiet(scene, connectionId);

    const outage = await orderFault(scene, { provider: 'google', status: 503 });
    for (const { calendar } of ailing) await sandbox.addEvent(calendar, { title: title(), ...slotAt(1) });
    const breaker = () =>
      readSample(scene, 'inbound-worker', 'calendar_breaker_state', { calendar_provider: 'google' });
    const openedMs = await scene.until('the breaker to open', async () => {
      if ((await breaker()) === 2) return true;
      // A person's wish does not wait: so the calls that fail come sooner than their waits end.
      for (const { providerId } of ailing) {
        await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: providerId });
      }
      return false;
    });
    notes.did('let Google answer 503 to everything', {
      milliseconds_until_open: openedMs,
      refused: await outage.fired(),
    });
    notes.saw('[R-1] the breaker in front of Google is open', await breaker(), 2);
    const other = await readSample(scene, 'inbound-worker', 'calendar_breaker_state', {
      calendar_provider: 'microsoft',
    });
    notes.saw("[R-1] Microsoft's is closed", other, 0);

    await sandbox.addEvent(well.calendar, { title: title(), ...slotAt(1) });
    const changeMs = await untilFree(scene, well, SLOTS, [slotAt(0), slotAt(2)]);
    const booking = inventBooking(scene, well);
    await announce(scene, booking.make(1, 'booking.created', slotAt(5)));
    const bookingMs = await untilShown(scene, well.calendar, booking, slotAt(5));
    notes.judged(
      '[R-1] both ways go on at Microsoft',
      changeMs < 10_000 && bookingMs < 10_000,
      [changeMs, bookingMs],
      'each within 10000 ms',
    );

    const rows = await Promise.all(ailing.map(({ connectionId }) => readConnection(scene, connectionId)));
    notes.saw(
      '[I-5] every ailing connection says why and is still wanted',
      rows.map((row) => [row.last_error?.kind, row.sync_needed]),
      rows.map(() => ['transient', true]),
    );
    notes.judged(
      '[I-5] errors were counted',
      rows.some((row) => row.error_count > 0),
      rows.map((row) => row.error_count),
      'more than none',
    );
    notes.saw('[I-5] what was known before is still known', rows[0]?.intervals, 1);
    const held = inventBooking(scene, first);
    const accepted = await announce(scene, held.make(1, 'booking.created', slotAt(6)));
    notes.saw('[R-1] bookings for Google are accepted meanwhile', accepted, { status: 202, accepted: true });

    await outage.clear();
    const backMs = await scene.until('every connection to recover by itself', async () => {
      const now = await Promise.all(ailing.map(({ connectionId }) => readConnection(scene, connectionId)));
      return now.every((row) => !row.sync_needed && row.error_count === 0 && row.last_error === null);
    });
    const heldMs = await untilShown(scene, first.calendar, held, slotAt(6));
    notes.did('let Google answer again', { milliseconds_until_synced: backMs, milliseconds_until_booked: heldMs });
    const after = await Promise.all(ailing.map(({ connectionId }) => readConnection(scene, connectionId)));
    notes.saw(
      '[R-1] [I-5] all changes arrived, nothing waits',
      after.map((row) => [row.intervals, row.waits]),
      [
        [2, false],
        [1, false],
        [1, false],
        [1, false],
      ],
    );
    await scene.until('the breaker to close', async () => (await breaker()) === 0);
    notes.saw('[R-1] the breaker is closed again', await breaker(), 0);
  },
};
