import { describe, expect, test } from '@jest/globals';
import { planRun } from '../src/plan/plan-run.ts';
import { FULL_SIZE } from '../src/plan/sizes.ts';

describe('a run’s decisions', () => {
  const plan = planRun(1, FULL_SIZE);

  test('are the same for the same seed, and others for another', () => {
    expect(planRun(1, FULL_SIZE)).toEqual(plan);
    expect(planRun(2, FULL_SIZE).digest).not.toBe(plan.digest);
  });

  test('hold each version of each booking once, from one on without a gap', () => {
    const versions = new Map<number, number[]>();
    for (const { booking, version } of plan.ticks.flatMap(({ intents }) => intents))
      versions.set(booking, [...(versions.get(booking) ?? []), version]);
    expect(versions.size).toBe(FULL_SIZE.bookings);
    for (const list of versions.values())
      expect(list.sort((a, b) => a - b)).toEqual(Array.from({ length: list.length }, (_, at) => at + 1));
    expect([...versions.values()].flat()).toHaveLength(FULL_SIZE.intents);
  });

  test('let nobody move or remove what is not there', () => {
    const living = new Set<string>();
    for (const { calendar, act, event } of plan.ticks.flatMap(({ ownerActs }) => ownerActs)) {
      const key = `${calendar}.${event}`;
      expect(living.has(key)).toBe(act !== 'add');
      if (act === 'add') living.add(key);
      if (act === 'remove') living.delete(key);
    }
  });

  test('hold every fault as often as asked, until the last tick', () => {
    const faults = plan.ticks.flatMap(({ faults: here }) => here);
    for (const [kind, count] of Object.entries({ ...FULL_SIZE.processFaults, ...FULL_SIZE.providerOrders }))
      expect(faults.filter((fault) => fault.kind === kind)).toHaveLength(count);
    expect(plan.ticks.slice(-2).flatMap(({ faults: here }) => here)).not.toEqual([]);
  });
});
