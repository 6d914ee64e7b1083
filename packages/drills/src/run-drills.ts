import type { Drill } from './drill.ts';
import { type DrillRun, type RunOptions, runDrill } from './run-drill.ts';
import { has, type Need, type Target } from './target/target.ts';

export interface DrillsListener {
  started?(drill: Drill): void;
  finished?(run: DrillRun): void | Promise<void>;
}

/** Most of a drill's time is waiting, so the calm ones are played a few at a time. */
const AT_ONCE = 4;

/** The calm ones together, then those that must be alone one by one, then those that look back; results as given. */
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
    await options.listener?.finished?.(run);
  };
  const calm = drills.filter(({ phase }) => phase === 'calm');
  const lane = async () => {
    for (let next = calm.shift(); next !== undefined; next = calm.shift()) await play(next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  for (const phase of ['alone', 'last']) {
    for (const drill of drills.filter((one) => one.phase === phase)) await play(drill);
  }
  return drills.flatMap((drill) => runs.get(drill) ?? []);
}

/** Why a drill is not played at a target; empty when it is. Nothing is taken away from a fleet that is not ours. */
export function findObstacles(drill: Drill, target: Target): string[] {
  const words: Readonly<Record<Need, string>> = {
    ops: "operators' routes and a token for them",
    sandbox: 'sandbox calendars',
    owned: 'a fleet of its own',
  };
  const missing: string[] = drill.needs.filter((need) => !has(target, need)).map((need) => `needs ${words[need]}`);
  if (drill.phase === 'alone' && target.owned === null && !drill.needs.includes('owned'))
    missing.push('disturbs others');
  return missing;
}
