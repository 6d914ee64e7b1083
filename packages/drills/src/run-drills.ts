import type { Drill } from './drill.ts';
import { type DrillRun, type RunOptions, runDrill } from './run-drill.ts';
import { has, type Target } from './target/target.ts';

export interface DrillsListener {
  started?(drill: Drill): void;
  finished?(run: DrillRun): void;
}

/** Drills that leave the fleet as it is run a few at a time: most of their time is waiting. */
const AT_ONCE = 4;

/** Those that disturb nobody together, then the disruptive ones one by one; in the given order otherwise. */
export async function runDrills(
  drills: readonly Drill[],
  target: Target,
  options: RunOptions & { readonly listener?: DrillsListener },
): Promise<DrillRun[]> {
  const runs = new Map<Drill, DrillRun>();
  const play = async (drill: Drill) => {
    options.listener?.started?.(drill);
    const run = await runDrill(drill, target, options);
    runs.set(drill, run);
    options.listener?.finished?.(run);
  };
  const calm = drills.filter(({ isDisruptive }) => !isDisruptive);
  const lane = async () => {
    for (let next = calm.shift(); next !== undefined; next = calm.shift()) await play(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (const drill of drills.filter(({ isDisruptive }) => isDisruptive)) await play(drill);
  return drills.flatMap((drill) => runs.get(drill) ?? []);
}

/** What of a target is missing for a drill; empty when it can be played there. */
export function missingFor(drill: Drill, target: Target): string[] {
  return drill.needs.filter((need) => !has(target, need));
}
