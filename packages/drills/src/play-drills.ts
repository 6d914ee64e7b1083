/** Drills from start to evidence: what can be played is played, and each leaves its files as soon as it is over. */
import type { Drill } from './drill.ts';
import { createEvidence, type Evidence } from './evidence/evidence.ts';
import { writeEvidence } from './evidence/evidence-folder.ts';
import type { SourceState } from './evidence/source-state.ts';
import type { RunOptions } from './run-drill.ts';
import { findObstacles, runDrills } from './run-drills.ts';
import type { Target } from './target/target.ts';

export interface PlayOptions extends RunOptions {
  readonly evidenceFolder: string;
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
  const evidence = new Map<string, Evidence>();
  await runDrills(playable, target, {
    ...options,
    listener: {
      started: (drill) => options.onStarted?.(drill),
      finished: (run) => {
        const record = createEvidence(run, target, unchanged(before, options.readSource()));
        writeEvidence(options.evidenceFolder, record);
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

function unchanged(before: SourceState, after: SourceState): SourceState {
  return { commit: before.commit, isClean: before.isClean && after.isClean && before.commit === after.commit };
}
