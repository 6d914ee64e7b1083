import type { CalendarProvider } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { connectProvider } from '../scene/connect.ts';
import { type HookAnswer, openNotifier } from '../scene/notifier.ts';
import { readConnection, readWhenQuiet, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';

const STORM = 100;
const DIFFERENT = 10;
/** Keys that came before this many others are still known. */
const REMEMBERED = 100;

export const replayStorm: Drill = {
  name: 'replay-storm',
  title: 'A hundred repeats in a second are one sync, ten different deliveries are all recorded',
  proves: ['W-4', 'W-5'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    for (const at of ['google', 'microsoft'] as const) await playAt(scene, at);
  },
};

async function playAt(scene: Scene, at: CalendarProvider): Promise<void> {
  const { notes } = scene;
  const provider = await connectProvider(scene, at);
  const { connectionId } = provider;
  await untilQuiet(scene, connectionId);
  const notifier = await openNotifier(scene, provider);
  const before = await readConnection(scene, connectionId);

  const startedAt = performance.now();
  const answers = await Promise.all(Array.from({ length: STORM }, () => notifier.send(1)));
  const milliseconds = Math.round(performance.now() - startedAt);
  const afterStorm = await readWhenQuiet(scene, connectionId);
  notes.did(`${at}: sent one delivery ${STORM} times at once`, { milliseconds, runs: afterStorm.runs - before.runs });
  notes.saw(`[W-5] ${at}: all were answered 200`, answers.filter(({ status }) => status === 200).length, STORM);
  notes.saw(`[W-4] ${at}: one was new, the others duplicates`, countDuplicates(answers), STORM - 1);
  notes.saw(`[W-5] ${at}: they were one sync`, afterStorm.runs - before.runs, 1);
  notes.saw(`[W-5] ${at}: the connection shows that it was notified`, afterStorm.notified, true);

  const different = await Promise.all(Array.from({ length: DIFFERENT }, (_, index) => notifier.send(10 + index)));
  notes.saw(
    `[W-4] ${at}: different deliveries about the same calendar are no duplicates`,
    countDuplicates(different),
    0,
  );
  const recorded = await readConnection(scene, connectionId);
  notes.saw(
    `[W-5] ${at}: ${DIFFERENT} different ones at once were all recorded`,
    recorded.deliveries - afterStorm.deliveries,
    DIFFERENT,
  );
  const synced = await readWhenQuiet(scene, connectionId);
  const runs = synced.runs - afterStorm.runs;
  notes.judged(
    `[W-5] ${at}: they led to syncs, none was lost`,
    runs >= 1 && runs <= DIFFERENT,
    runs,
    `1 to ${DIFFERENT}`,
  );

  await Promise.all(Array.from({ length: REMEMBERED - 1 }, (_, index) => notifier.send(1_000 + index)));
  const late = await notifier.send(10 + DIFFERENT - 1);
  notes.saw(`[W-4] ${at}: a key is still known after ${REMEMBERED - 1} others`, countDuplicates([late]), 1);
  await untilQuiet(scene, connectionId);
}

function countDuplicates(answers: readonly HookAnswer[]): number {
  return answers.filter(({ body }) => body.reason === 'duplicate').length;
}
