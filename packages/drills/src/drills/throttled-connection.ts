import type { CalendarProvider } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { connectProvider } from '../scene/connect.ts';
import { listRequests, orderFault } from '../scene/faults.ts';
import { readConnection, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const RETRY_AFTER_SECONDS = 4;

export const throttledConnection: Drill = {
  name: 'throttled-connection',
  title: 'A calendar provider that says when to come again is taken at its word, and nobody else waits',
  proves: ['R-1'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    await Promise.all([playAt(scene, 'google'), playAt(scene, 'microsoft')]);
  },
};

async function playAt(scene: Scene, at: CalendarProvider): Promise<void> {
  const throttled = await connectProvider(scene, at);
  const other = await connectProvider(scene, at);
  await untilQuiet(scene, throttled.connectionId);
  const fault = await orderFault(scene, {
    provider: at,
    user: throttled.calendar.email,
    operation: 'events.*',
    status: 429,
    retry_after: RETRY_AFTER_SECONDS,
    times: 1,
  });
  await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: throttled.providerId });
  await scene.until('the refusal', async () => (await fault.fired()) === 1);
  await scene.until('the wait', async () => (await readConnection(scene, throttled.connectionId)).waits);
  const waiting = await readConnection(scene, throttled.connectionId);
  scene.notes.did(`${at}: refused one account with 429 and Retry-After ${RETRY_AFTER_SECONDS}`, {
    wait_seconds: waiting.wait_seconds,
  });
  scene.notes.saw(`[R-1] ${at}: the wait is named, costs no attempt, and the sync is still wanted`, describe(waiting), {
    kind: 'rate_limited',
    error_count: 0,
    sync_needed: true,
  });

  const slots = [slotAt(0), slotAt(1)];
  await scene.sandbox.addEvent(other.calendar, { title: scene.invent('title', 'Yoga'), ...slotAt(1) });
  const ms = await untilFree(scene, other, slots, [slotAt(0)]);
  scene.notes.judged(
    `[R-1] ${at}: another connection is synced meanwhile`,
    ms < RETRY_AFTER_SECONDS * 1000,
    ms,
    'sooner than the wait',
  );

  await untilQuiet(scene, throttled.connectionId);
  const asked = await listRequests(scene, throttled.calendar.email, /^events\.(list|delta)$/);
  const refusedAt = asked.findIndex(({ status }) => status === 429);
  const gapMs = (asked[refusedAt + 1]?.atMs ?? 0) - (asked[refusedAt]?.atMs ?? 0);
  scene.notes.judged(
    `[R-1] ${at}: it was not asked again sooner`,
    gapMs >= RETRY_AFTER_SECONDS * 1000,
    gapMs,
    `at least ${RETRY_AFTER_SECONDS * 1000} ms`,
  );
  const after = await readConnection(scene, throttled.connectionId);
  scene.notes.saw(`[R-1] ${at}: recovered by itself`, [after.last_error, after.waits], [null, false]);
}

function describe({ last_error, error_count, sync_needed }: Awaited<ReturnType<typeof readConnection>>) {
  return { kind: last_error?.kind, error_count, sync_needed };
}
