/** Drills from start to evidence: what can be played is played, and each leaves its files as soon as it is over. */
import type { Drill } from './drill.ts';
import { createEvidence, type Evidence } from './evidence/evidence.ts';
import { writeEvidence } from './evidence/evidence-folder.ts';
import type { SourceState } from './evidence/source-state.ts';
import type { RunOptions } from './run-drill.ts';
import { findObstacles, runDrills } from './run-drills.ts';
import type { Target } from './target/target.ts';

export interface PlayOptions extends RunOptions {
  /** Where a piece of evidence goes. */
  readonly evidenceFolder: (evidence: Evidence) => string;
  /** Asked at the start and after each drill: what changes meanwhile was not what was drilled. */
  readonly readSource: () => SourceState;
  readonly onStarted?: (drill: Drill) => void;
  readonly onFinished?: (evidence: Evidence) => void;
}

export interface Played {
  readonly evidence: readonly Evidence[];
  /** Not for this target, with the reasons. */
  readonly skipped: readonly { readonly name: string; readonly reasons: readonly string[] }[];
}

export async function playDrills(drills: readonly Drill[], target: Target, options: PlayOptions): Promise<Played> {
  const obstacles = new Map(drills.map((drill) => [drill, findObstacles(drill, target)]));
  const playable = drills.filter((drill) => obstacles.get(drill)?.length === 0);
  const before = options.readSource();
  const commits = new Set(await askForCommits(target));
  const evidence = new Map<string, Evidence>();
  await runDrills(playable, target, {
    ...options,
    listener: {
      started: (drill) => options.onStarted?.(drill),
      finished: async (run) => {
        for (const commit of await askForCommits(target)) commits.add(commit);
        const played = { ...target, commits: [...commits].sort() };
        const record = createEvidence(run, played, unchanged(before, options.readSource()));
        writeEvidence(options.evidenceFolder(record), record);
        evidence.set(run.drill.name, record);
        options.onFinished?.(record);
      },
    },
  });
  return {
    evidence: playable.flatMap(({ name }) => evidence.get(name) ?? []),
    skipped: drills.flatMap((drill) => {
      const reasons = obstacles.get(drill) ?? [];
      return reasons.length === 0 ? [] : [{ name: drill.name, reasons }];
    }),
  };
}

/** Asked as often as the source is: a fleet may be deployed meanwhile. One that does not answer runs what nobody knows. */
async function askForCommits(target: Target): Promise<readonly string[]> {
  if (target.kind === 'local') return [];
  return (await target.readCommits().catch(() => null)) ?? ['unknown'];
}

function unchanged(before: SourceState, after: SourceState): SourceState {
  return { commit: before.commit, isClean: before.isClean && after.isClean && before.commit === after.commit };
}
