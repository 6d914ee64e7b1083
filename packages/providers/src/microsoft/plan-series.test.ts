import { describe, expect, test } from '@jest/globals';
import { graphItem, master, occurrence, REMOVED } from '../../test/microsoft/session.ts';
import { readEventPage } from './event-page.ts';
import { newRound, planSeries, type RoundMemory } from './plan-series.ts';

const MASTER = master('m1');
const OCCURRENCE = occurrence('o1', 'm1', '2026-11-24');
const EXCEPTION = graphItem('x1', { type: 'exception', seriesMasterId: 'm1' });

function plan(round: RoundMemory, ...value: object[]) {
  const page = readEventPage({ value });
  if (page === null) throw new Error('no page');
  return planSeries(page.items, round);
}

describe('planSeries', () => {
  test.each([
    ['master and occurrences', [MASTER, OCCURRENCE, EXCEPTION], 'replace'],
    ['occurrences alone', [OCCURRENCE], 'read'],
    ['an exception alone', [EXCEPTION], 'read'],
    ['a master alone', [MASTER], 'read'],
    ['master and exception', [MASTER, EXCEPTION], 'read'],
    ['a removed master', [REMOVED('m1')], 'replace'],
    ['occurrences and their master, removed', [OCCURRENCE, REMOVED('m1')], 'read'],
    ['single events', [graphItem('e1')], null],
  ] as const)('[I-2] decides on %s in an increment', (_, items, expected) => {
    const decided = plan(newRound(true), ...items);
    expect(decided[expected === 'read' ? 'read' : 'replace']).toEqual(expected === null ? [] : ['m1']);
    expect(decided[expected === 'read' ? 'replace' : 'read']).toEqual([]);
  });

  test('[I-2] reads nothing in a full round, where nothing is held that is not replaced anyway', () => {
    expect(plan(newRound(false), EXCEPTION)).toEqual({ replace: ['m1'], read: [] });
  });

  test('[I-2] voids a series once in a round', () => {
    const round = newRound(true);
    plan(round, MASTER, OCCURRENCE);
    round.replaced.add('m1');
    expect(plan(round, OCCURRENCE)).toEqual({ replace: [], read: [] });
  });

  test('[I-2] asks again when a series is removed that an earlier page showed', () => {
    const round = newRound(true);
    plan(round, MASTER, OCCURRENCE);
    round.replaced.add('m1');
    expect(plan(round, REMOVED('m1'))).toEqual({ replace: [], read: ['m1'] });
  });
});
