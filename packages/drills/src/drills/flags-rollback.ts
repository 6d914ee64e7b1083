import { readSwitches, turnSwitches } from '@bookiji/db';
import type { Drill } from '../drill.ts';
import { untilFree } from '../scene/availability.ts';
import { announce, inventBooking, shownEvents, untilShown } from '../scene/bookings.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { untilSwept } from '../scene/processes.ts';
import { readConnection, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { slotAt } from '../scene/slots.ts';

const FLAGS = ['CALENDAR_JOBS_ENABLED', 'CALENDAR_SYNC_ENABLED', 'CALENDAR_WEBHOOK_ENABLED', 'CALENDAR_OAUTH_ENABLED'];
const SLOTS = [slotAt(0), slotAt(1)];
const ACTOR = 'drill';

export const flagsRollback: Drill = {
  name: 'flags-rollback',
  title: 'Everything can be switched off and on again, whole or one calendar provider alone, with its reason kept',
  proves: ['F-3'],
  needs: ['sandbox', 'ops', 'owned'],
  phase: 'alone',
  async run(scene) {
    const google = await connectProvider(scene, 'google');
    const microsoft = await connectProvider(scene, 'microsoft');
    for (const { connectionId } of [google, microsoft]) await untilQuiet(scene, connectionId);
    scene.cleanUp('the switches', () => turn(scene, [...FLAGS, 'provider:google'], true));
    await rollBackEverything(scene, google);
    await killOneProvider(scene, google, microsoft);
    await sawAudit(scene);
  },
};

async function rollBackEverything(scene: Scene, provider: DrilledProvider): Promise<void> {
  const booking = inventBooking(scene, provider);
  await turn(scene, FLAGS, false);
  const offMs = await scene.until('everything to be off', async () => {
    return Object.values(await scene.ops.flags()).every((isOn) => !isOn);
  });
  const refusedMs = await scene.until('ingress to refuse', async () => {
    const wish = { provider_id: provider.providerId };
    return (await scene.ingress.request('POST', '/api/calendar/sync', wish)).status === 403;
  });
  await untilSwept(scene, 'due_connections', 6);
  const before = await readConnection(scene, provider.connectionId);
  await announce(scene, booking.make(1, 'booking.created', slotAt(5)));
  await scene.sandbox.addEvent(provider.calendar, { title: scene.invent('title', 'Walk'), ...slotAt(1) });
  await untilSwept(scene, 'due_bookings', 4);
  const after = await readConnection(scene, provider.connectionId);
  const shown = (await shownEvents(scene, provider.calendar, booking)).length;
  scene.notes.did('switched all four flags off', { milliseconds_told: offMs, milliseconds_refused: refusedMs });
  scene.notes.saw(
    '[F-3] all off: no sync, no event, the rows are kept',
    [after.runs - before.runs, shown, after.intervals],
    [0, 0, before.intervals],
  );
  await turn(scene, FLAGS, true);
  const bookedMs = await untilShown(scene, provider.calendar, booking, slotAt(5));
  // Its notification was refused meanwhile, and the calendar provider came again or looking again finds it.
  await scene.until('ingress to take wishes', async () => {
    const wish = { provider_id: provider.providerId };
    return (await scene.ingress.request('POST', '/api/calendar/sync', wish)).status === 202;
  });
  const freeMs = await untilFree(scene, provider, SLOTS, [slotAt(0)]);
  scene.notes.did('switched them on again', { milliseconds_until_booked: bookedMs, milliseconds_until_synced: freeMs });
  scene.notes.judged('[F-3] all on: what waited was done', true, [bookedMs, freeMs], 'both ways');
}

async function killOneProvider(scene: Scene, google: DrilledProvider, microsoft: DrilledProvider): Promise<void> {
  await turn(scene, ['provider:google'], false);
  await untilSwept(scene, 'due_connections', 6);
  const before = await readConnection(scene, google.connectionId);
  await scene.sandbox.addEvent(google.calendar, { title: scene.invent('title', 'Walk'), ...slotAt(0) });
  await scene.sandbox.addEvent(microsoft.calendar, { title: scene.invent('title', 'Walk'), ...slotAt(1) });
  const otherMs = await untilFree(scene, microsoft, SLOTS, [slotAt(0)]);
  await untilSwept(scene, 'due_connections', 3);
  const parked = await readConnection(scene, google.connectionId);
  scene.notes.did('switched one calendar provider off', { milliseconds_other: otherMs });
  scene.notes.saw(
    '[F-3] its connections wait, with all they had',
    [parked.runs - before.runs, parked.intervals],
    [0, before.intervals],
  );
  scene.notes.judged('[F-3] the other calendar provider goes on', otherMs < 10_000, otherMs, 'within 10000 ms');
  await turn(scene, ['provider:google'], true);
  await scene.ingress.request('POST', '/api/calendar/sync', { provider_id: google.providerId });
  const ms = await untilFree(scene, google, SLOTS, []);
  scene.notes.judged('[F-3] switched on again, it catches up', true, ms, 'caught up');
}

async function sawAudit(scene: Scene): Promise<void> {
  const rows = await scene.owned.database.sql`
    SELECT action, count(*)::int AS times FROM audit_log
     WHERE actor = ${ACTOR} AND details->>'reason' = 'rollback drill' GROUP BY action ORDER BY action`;
  scene.notes.saw('[F-3] who switched what, and why, was kept', rows, [
    { action: 'switch_off', times: FLAGS.length + 1 },
    { action: 'switch_on', times: FLAGS.length + 1 },
  ]);
  const switches = await readSwitches(scene.owned.database.db);
  const off = [...switches].filter(([, isOn]) => !isOn).map(([name]) => name);
  scene.notes.saw('[F-3] nothing is left switched off', off, []);
}

function turn(scene: Scene, names: readonly string[], isOn: boolean): Promise<void> {
  const changes = names.map((name) => ({ name, isOn, changedBy: ACTOR, reason: 'rollback drill' }));
  return turnSwitches(scene.owned.database.db, changes);
}
