/** Evidence as a good run leaves it, for tests of what judges it. */
import { ALL_DRILLS } from '../src/all-drills.ts';
import type { Drill } from '../src/drill.ts';
import { createEvidence, type Evidence } from '../src/evidence/evidence.ts';
import type { DrillRun } from '../src/run-drill.ts';
import { createPrivateWords } from '../src/target/private-words.ts';

export const SOURCE = { commit: '1'.repeat(40), isClean: true };
export const NOW = new Date('2026-11-20T12:00:00Z');
const STARTED = new Date('2026-11-20T11:00:00Z');
const FINISHED = new Date('2026-11-20T11:00:02Z');

export function makeRun(name: string): DrillRun {
  const drill = ALL_DRILLS.find((one) => one.name === name) as Drill;
  const at = STARTED.toISOString();
  return {
    drill,
    verdict: 'PASS',
    startedAt: STARTED,
    finishedAt: FINISHED,
    steps: [{ at, did: 'sent them', figures: { sent: 100 } }],
    observations: drill.proves.map((id) => ({ at, what: `[${id}] it held`, expected: 1, observed: 1, ok: true })),
  };
}

export function makeEvidence(name: string, words = createPrivateWords()): Evidence {
  return createEvidence(
    makeRun(name),
    { kind: 'local', description: 'a fleet', owned: null, privateWords: words, commits: [] },
    SOURCE,
  );
}
