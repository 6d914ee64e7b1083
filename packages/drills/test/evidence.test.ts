import { describe, expect, test } from '@jest/globals';
import { createEvidence, digestOf, parseEvidence } from '../src/evidence/evidence.ts';
import { renderEvidence } from '../src/evidence/render-evidence.ts';
import { createPrivateWords } from '../src/target/private-words.ts';
import { makeEvidence, makeRun, SOURCE } from './made-evidence.ts';

describe('[P-1] evidence', () => {
  test('carries what was done and seen, the commit, the times and the target', () => {
    const evidence = makeEvidence('replay-storm');
    expect(evidence).toMatchObject({
      drill: 'replay-storm',
      verdict: 'PASS',
      commit: SOURCE.commit,
      clean: true,
      duration_ms: 2_000,
      target: { kind: 'local', description: 'a fleet' },
    });
    expect(parseEvidence(JSON.stringify(evidence))).toEqual(evidence);
    expect(digestOf(evidence)).toBe(evidence.digest);
  });

  test('is told to people with every step, figure and observation', () => {
    const text = renderEvidence(makeEvidence('replay-storm'));
    for (const part of ['# replay-storm: PASS', SOURCE.commit, 'sent them', 'sent 100', '[W-4] it held', 'ok']) {
      expect(text).toContain(part);
    }
  });

  test('[B-3] that would hold something private holds it not, and is a failure', () => {
    const words = createPrivateWords();
    words.keep('title', 'Haircut of Robin');
    const run = makeRun('replay-storm');
    const slipped = {
      ...run,
      steps: [{ at: run.startedAt.toISOString(), did: 'booked Haircut of Robin', figures: {} }],
    };
    const evidence = createEvidence(
      slipped,
      { kind: 'local', description: 'a fleet', owned: null, privateWords: words, commits: [] },
      SOURCE,
    );
    expect(JSON.stringify(evidence)).not.toContain('Haircut of Robin');
    expect(evidence.verdict).toBe('FAIL');
    expect(renderEvidence(evidence)).toContain('holds nothing private');
  });

  test.each(['', '{', '[]', '{"schema": 2}', 'null'])('is not what does not read as such (%j)', (text) => {
    expect(parseEvidence(text)).toBeNull();
  });
});
