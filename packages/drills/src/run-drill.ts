import type { Drill } from './drill.ts';
import {
  createNotebook,
  findUnobserved,
  type Notebook,
  type Observation,
  type Step,
  type Verdict,
  verdictOf,
} from './notebook.ts';
import { type CleanUp, createScene } from './scene/scene.ts';
import type { Target } from './target/target.ts';

export interface DrillRun {
  readonly drill: Drill;
  readonly verdict: Verdict;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly steps: readonly Step[];
  readonly observations: readonly Observation[];
}

export interface RunOptions {
  readonly now: () => Date;
  /** How long anything is waited for, milliseconds (30000). */
  readonly patienceMs?: number;
}

/** Plays one drill and cleans up after it. Never throws: what goes wrong is what it observed. */
export async function runDrill(drill: Drill, target: Target, options: RunOptions): Promise<DrillRun> {
  const startedAt = options.now();
  const notes = createNotebook(options.now);
  const { scene, cleanUps } = createScene(target, notes, options.patienceMs ?? 30_000);
  let isAtEnd = false;
  try {
    await drill.run(scene);
    isAtEnd = true;
  } catch (error) {
    notes.judged('the drill came to its end', false, describe(error), 'no error');
  }
  await cleanUp(cleanUps, notes);
  const { steps, observations } = notes;
  if (isAtEnd) notes.saw('every requirement was looked at', findUnobserved(observations, drill.proves), []);
  const verdict = verdictOf(observations, drill.proves);
  return { drill, verdict, startedAt, finishedAt: options.now(), steps, observations };
}

async function cleanUp(cleanUps: readonly CleanUp[], notes: Notebook): Promise<void> {
  const left: string[] = [];
  for (const { what, work } of [...cleanUps].reverse()) {
    try {
      await work();
    } catch (error) {
      left.push(`${what}: ${describe(error)}`);
    }
  }
  if (cleanUps.length === 0) return;
  notes.did('cleaned up', { removed: cleanUps.length - left.length, left: left.length });
  notes.saw('nothing of the drill is left behind', left, []);
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : 'an unknown failure';
}
