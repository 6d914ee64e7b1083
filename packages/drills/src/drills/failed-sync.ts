import type { Drill } from '../drill.ts';
import { connectProvider } from '../scene/connect.ts';
import { orderFault } from '../scene/faults.ts';
import { listRuns, readConnection, readWhenQuiet } from '../scene/rows.ts';
import { slotAt } from '../scene/slots.ts';

/** More than one page. */
const EVENTS = 150;

export const failedSync: Drill = {
  name: 'failed-sync',
  title: 'A sync that fails in its middle leaves nothing partial, says why, waits, and recovers by itself',
  proves: ['I-4', 'I-5', 'R-1'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    const { notes } = scene;
    const provider = await connectProvider(scene, 'microsoft');
    const { calendarProvider, email } = provider.calendar;
    const before = await readWhenQuiet(scene, provider.connectionId);
    const fault = await orderFault(scene, {
      provider: calendarProvider,
      user: email,
      operation: 'events.delta',
      page: 2,
      status: 503,
    });
    const path = `/calendars/${calendarProvider}/${encodeURIComponent(email)}/events/fill`;
    const fill = { count: EVENTS, from: slotAt(0).start, title: scene.invent('title', 'Filled') };
    await scene.sandbox.order('POST', path, fill);
    await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: provider.providerId });
    await scene.until('two failures in a row', async () => {
      const row = await readConnection(scene, provider.connectionId);
      return row.error_count >= 2 && row.waits;
    });
    const failing = await readConnection(scene, provider.connectionId);
    notes.did(`filled a calendar with ${EVENTS} events and let its second page fail`, {
      failures: failing.error_count,
      wait_seconds: failing.wait_seconds,
    });
    notes.saw('[I-5] nothing of the first page is there', failing.intervals, before.intervals);
    notes.saw(
      '[I-5] it says what happened and is still wanted',
      [failing.last_error?.kind, failing.sync_needed, failing.last_synced_at === before.last_synced_at],
      ['transient', true, true],
    );
    const wait = failing.wait_seconds ?? 0;
    notes.judged('[I-5] [R-1] it waits, no longer than the settings say', wait > 0 && wait <= 4.1, wait, 'up to 4 s');

    await fault.clear();
    const ms = await scene.until('the recovery', async () => {
      const row = await readConnection(scene, provider.connectionId);
      return !row.sync_needed && row.intervals === EVENTS;
    });
    notes.did('let the second page through again', { milliseconds: ms });
    const after = await readConnection(scene, provider.connectionId);
    notes.saw(
      '[I-5] [R-1] after recovery errors and wait are cleared, and all is there',
      [after.error_count, after.last_error, after.waits, after.intervals],
      [0, null, false, EVENTS],
    );
    const runs = (await listRuns(scene, provider.connectionId)).map(({ outcome }) => outcome);
    const afterWait = runs.lastIndexOf('synced') > runs.lastIndexOf('failed');
    notes.judged(
      '[I-4] the end of the wait started the sync',
      afterWait,
      runs.slice(-4).join(', '),
      'synced after failed',
    );
  },
};
