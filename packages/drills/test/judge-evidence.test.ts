import { describe, expect, test } from '@jest/globals';
import { ALL_DRILLS } from '../src/all-drills.ts';
import { digestOf, type Evidence } from '../src/evidence/evidence.ts';
import type { EvidenceFiles } from '../src/evidence/evidence-folder.ts';
import { renderEvidence } from '../src/evidence/render-evidence.ts';
import { CHECKLIST } from '../src/go-no-go/checklist.ts';
import { type EvidenceQuestion, judgeEvidence } from '../src/go-no-go/judge-evidence.ts';
import { makeEvidence, NOW, SOURCE } from './made-evidence.ts';

const NAMES = ALL_DRILLS.map(({ name }) => name);

function filesOf(evidence: Evidence): EvidenceFiles {
  return { json: JSON.stringify(evidence, null, 2), markdown: renderEvidence(evidence) };
}

/** All evidence as it should be, but for the drill that `spoil` names. */
function judge(spoil: Readonly<Record<string, EvidenceFiles>> = {}, over: Partial<EvidenceQuestion> = {}) {
  return judgeEvidence({
    checklist: CHECKLIST,
    drills: ALL_DRILLS,
    read: (name) => spoil[name] ?? filesOf(makeEvidence(name)),
    source: SOURCE,
    now: NOW,
    ...over,
  });
}

function sealed(evidence: Evidence): EvidenceFiles {
  return filesOf({ ...evidence, digest: digestOf(evidence) });
}

const changed = (name: string, change: Partial<Evidence>) => sealed({ ...makeEvidence(name), ...change });

const REMOTE = { kind: 'remote', description: 'https://calendar.staging.example' } as const;

/** Every way to spoil one piece, and the words that must name it. */
const SPOILED: readonly [string, (name: string) => EvidenceFiles, RegExp][] = [
  ['has no evidence', () => ({ json: null, markdown: null }), /no evidence/],
  ['has no JSON', (name) => ({ ...filesOf(makeEvidence(name)), json: null }), /no evidence/],
  ['has no Markdown', (name) => ({ ...filesOf(makeEvidence(name)), markdown: null }), /no Markdown/],
  ['has JSON cut short', (name) => ({ ...filesOf(makeEvidence(name)), json: '{"schema": 1' }), /cannot be read/],
  ['is older than a day', (name) => changed(name, { finished_at: '2026-11-19T11:59:59Z' }), /older than a day/],
  ['is from the future', (name) => changed(name, { finished_at: '2026-11-20T12:05:00Z' }), /future/],
  ['is of another commit', (name) => changed(name, { commit: '2'.repeat(40) }), /another commit \(2{12}\)/],
  [
    'was left by a running fleet',
    (name) => changed(name, { target: REMOTE }),
    /at https:\/\/calendar\.staging\.example, whose commit nobody knows/,
  ],
  [
    'was left by a fleet of which one process does not say what it runs',
    (name) => changed(name, { target: { ...REMOTE, commits: [makeEvidence(name).commit, 'unknown'] } }),
    /at https:\/\/calendar\.staging\.example, whose commit nobody knows/,
  ],
  [
    'was left by a fleet that ran another commit, if only for a while',
    (name) => changed(name, { target: { ...REMOTE, commits: [makeEvidence(name).commit, '3'.repeat(40)] } }),
    /which ran another commit \(3{12}\)/,
  ],
  ['is of a changed working tree', (name) => changed(name, { clean: false }), /working tree/],
  [
    'failed',
    (name) => {
      const { observations } = makeEvidence(name);
      return changed(name, { verdict: 'FAIL', observations: observations.map((one) => ({ ...one, ok: false })) });
    },
    /failed: \[/,
  ],
  ['says that it failed', (name) => changed(name, { verdict: 'FAIL' }), /failed/],
  [
    'failed and says it passed',
    (name) => {
      const { observations } = makeEvidence(name);
      return changed(name, { observations: observations.map((one) => ({ ...one, ok: false })) });
    },
    /failed: \[/,
  ],
  ['observed nothing', (name) => changed(name, { observations: [] }), /failed/],
  [
    'was altered afterwards',
    (name) => {
      const evidence = makeEvidence(name);
      return filesOf({ ...evidence, steps: evidence.steps.map((step) => ({ ...step, figures: { sent: 99 } })) });
    },
    /altered/,
  ],
  [
    'was told otherwise to people',
    (name) => ({ ...filesOf(makeEvidence(name)), markdown: '# replay-storm: PASS\n' }),
    /Markdown says/,
  ],
  ['is of another drill', (name) => filesOf(makeEvidence(NAMES.find((one) => one !== name) ?? '')), /another drill/],
];

describe('[P-2] go or no-go', () => {
  test('remarks that Redis was not drilled where the queues were in PostgreSQL, and is GO all the same', () => {
    const target = { kind: 'local', description: 'a fleet', queues: 'PostgreSQL' } as const;
    const { verdict, remarks } = judge({ 'queue-outage': changed('queue-outage', { target }) });
    expect(verdict).toBe('GO');
    expect(remarks).toEqual([expect.stringMatching(/^Redis was not drilled.*redis-server.*queue-outage$/)]);
  });

  test('is GO when every piece is there, passed, young, unaltered and of this commit', () => {
    const { verdict, items, remarks } = judge();
    expect(remarks).toEqual([]);
    expect(items.filter((item) => item.verdict !== 'GO')).toEqual([]);
    expect(verdict).toBe('GO');
  });

  test.each(SPOILED)('is NO-GO, naming item and drill, when the evidence of any one drill %s', (_, spoil, words) => {
    for (const name of NAMES) {
      const { verdict, items } = judge({ [name]: spoil(name) });
      const stained = items.filter((item) => item.verdict !== 'GO' && item.name !== 'every-scenario');
      const asking = CHECKLIST.filter(({ drills }) => drills.includes(name)).map((item) => item.name);
      expect({ name, verdict, items: stained.map((item) => item.name) }).toEqual({
        name,
        verdict: 'NO-GO',
        items: asking,
      });
      for (const { problems } of stained) expect(problems).toEqual([expect.stringMatching(words)]);
      for (const { problems } of stained) expect(problems[0]?.startsWith(`${name}: `)).toBe(true);
    }
  });

  test('is NO-GO when the working tree has changes, whatever the evidence says', () => {
    const { verdict, items } = judge({}, { source: { ...SOURCE, isClean: false } });
    expect(verdict).toBe('NO-GO');
    expect(items.find(({ name }) => name === 'source')?.problems).toHaveLength(1);
  });

  test('is NO-GO when a scenario is proven by nobody', () => {
    const drills = ALL_DRILLS.map((drill) => ({ ...drill, proves: drill.proves.filter((id) => id !== 'W-3') }));
    const { items } = judge({}, { drills });
    expect(items.find(({ name }) => name === 'every-scenario')?.problems).toEqual([
      'W-3: no drill that passed proves it',
    ]);
  });

  test('what a running fleet did counts where it ran this very commit all the while', () => {
    const { commit } = makeEvidence('replay-storm');
    const files = changed('replay-storm', { target: { ...REMOTE, commits: [commit] } });
    expect(judge({ 'replay-storm': files }).verdict).toBe('GO');
  });

  test('evidence of exactly a day is still good', () => {
    expect(judge({ 'replay-storm': changed('replay-storm', { finished_at: '2026-11-19T12:00:00Z' }) }).verdict).toBe(
      'GO',
    );
  });
});
