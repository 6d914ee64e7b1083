import type { Drill } from '../drill.ts';
import { announce, inventBooking, untilShown } from '../scene/bookings.ts';
import { connectProvider } from '../scene/connect.ts';
import { orderFault } from '../scene/faults.ts';
import { openNotifier } from '../scene/notifier.ts';
import { untilQuiet } from '../scene/rows.ts';
import { slotAt } from '../scene/slots.ts';

/** Availability waits three seconds for a live sync, never longer. */
const ANSWER_WITHIN_MS = 5_000;

export const gracefulDegradation: Drill = {
  name: 'graceful-degradation',
  title: 'While a calendar provider hangs, everything that can be answered is answered in time and truthfully',
  proves: ['R-1'],
  needs: ['sandbox', 'owned'],
  phase: 'alone',
  async run(scene) {
    const { notes } = scene;
    const hanging = await connectProvider(scene, 'microsoft');
    const well = await connectProvider(scene, 'google');
    await untilQuiet(scene, hanging.connectionId);
    const notifier = await openNotifier(scene, hanging);
    const hang = await orderFault(scene, { provider: 'microsoft', hang: true });
    notes.did('let Microsoft accept requests and never answer');

    const hook = await measure(() => notifier.send(1));
    notes.judged(
      '[R-1] its notification is taken at once',
      hook.answer.status === 200 && hook.ms < 1_000,
      hook.ms,
      '200 within 1000 ms',
    );
    const question = { provider_id: hanging.providerId, slots: [slotAt(0)], max_age_seconds: 0 };
    const asked = await measure(() =>
      scene.ingress.request<{ trusted: boolean; free: unknown[] }>('POST', '/api/calendar/availability', question),
    );
    const { status, body } = asked.answer;
    notes.judged(
      '[R-1] availability answers in time, and says that it is not sure',
      status === 200 && !body.trusted && body.free.length === 1 && asked.ms < ANSWER_WITHIN_MS,
      [status, body.trusted, asked.ms],
      `200, trusted false, within ${ANSWER_WITHIN_MS} ms`,
    );
    const [held, written] = [inventBooking(scene, hanging), inventBooking(scene, well)];
    const accepted = await measure(() => announce(scene, held.make(1, 'booking.created', slotAt(4))));
    notes.judged(
      '[R-1] its booking is accepted at once',
      accepted.answer.status === 202 && accepted.ms < 1_000,
      accepted.ms,
      '202 within 1000 ms',
    );
    await announce(scene, written.make(1, 'booking.created', slotAt(4)));
    const ms = await untilShown(scene, well.calendar, written, slotAt(4));
    notes.judged("[R-1] Google's booking is written meanwhile", ms < 10_000, ms, 'within 10000 ms');

    await hang.clear();
    const backMs = await untilShown(scene, hanging.calendar, held, slotAt(4));
    await untilQuiet(scene, hanging.connectionId);
    notes.did('let Microsoft answer again', { milliseconds: backMs });
    const after = await scene.ingress.availability(hanging.providerId, [slotAt(0)]);
    notes.saw('[R-1] afterwards the booking is written and availability is sure', after.trusted, true);
  },
};

async function measure<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now();
  return { answer: await work(), ms: Math.round(performance.now() - startedAt) };
}
