import { describe, expect, test } from '@jest/globals';
import type { Drill } from './drill.ts';
import { runDrill } from './run-drill.ts';
import { findObstacles, runDrills } from './run-drills.ts';
import { createPrivateWords } from './target/private-words.ts';
import type { Target } from './target/target.ts';

const target = {
  kind: 'remote',
  description: 'nothing',
  privateWords: createPrivateWords(),
  owned: null,
  ops: null,
  sandbox: null,
} as unknown as Target;
const options = { now: () => new Date('2026-11-20T10:00:00Z'), patienceMs: 50 };

function drill(over: Partial<Drill>): Drill {
  const sees: Drill['run'] = async ({ notes }) => notes.saw('[W-4] it holds', true, true);
  return { name: 'drill', title: 'It holds', proves: ['W-4'], needs: [], phase: 'calm', run: sees, ...over };
}

describe('[P-1] a drill', () => {
  test('passes when all it saw was as expected', async () => {
    expect((await runDrill(drill({}), target, options)).verdict).toBe('PASS');
  });

  test.each<[string, Drill['run']]>([
    ['saw something else', async ({ notes }) => notes.saw('[W-4] it holds', false, true)],
    ['saw nothing', async () => undefined],
    ['saw nothing of what it proves', async ({ notes }) => notes.saw('[W-5] it holds', true, true)],
    [
      'broke off',
      async ({ notes }) => {
        notes.saw('[W-4] it holds', true, true);
        throw new Error('no connection');
      },
    ],
    ['waited in vain', async ({ until }) => void (await until('the impossible', () => false))],
    ['needs what is not there', async ({ owned }) => void owned.lines],
    [
      'left something behind',
      async ({ notes, cleanUp }) => {
        notes.saw('[W-4] it holds', true, true);
        cleanUp('a row', () => Promise.reject(new Error('still there')));
      },
    ],
  ])('fails when it %s', async (_, run) => {
    expect((await runDrill(drill({ run }), target, options)).verdict).toBe('FAIL');
  });

  test('cleans up the last thing first, also after it broke off', async () => {
    const cleaned: string[] = [];
    const run: Drill['run'] = async ({ cleanUp }) => {
      for (const what of ['first', 'second']) cleanUp(what, async () => cleaned.push(what));
      throw new Error('broke off');
    };
    await runDrill(drill({ run }), target, options);
    expect(cleaned).toEqual(['second', 'first']);
  });
});

describe('[P-1] drills together', () => {
  test('are played calm ones first, then those alone, then the last', async () => {
    const played: string[] = [];
    const named = (name: string, phase: Drill['phase']) =>
      drill({ name, phase, run: async () => void played.push(name) });
    const drills = [named('last', 'last'), named('alone', 'alone'), named('calm', 'calm')];
    const runs = await runDrills(drills, target, options);
    expect(played).toEqual(['calm', 'alone', 'last']);
    expect(runs.map((run) => run.drill.name)).toEqual(['last', 'alone', 'calm']);
  });

  test('that would take something away are not played at somebody else’s fleet', () => {
    expect(findObstacles(drill({}), target)).toEqual([]);
    expect(findObstacles(drill({ needs: ['owned'] }), target)).toHaveLength(1);
    expect(findObstacles(drill({ phase: 'alone' }), target)).toHaveLength(1);
  });
});
