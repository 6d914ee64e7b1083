import { describe, expect, test } from '@jest/globals';
import { ALL_DRILLS } from './all-drills.ts';
import { CHECKLIST } from './go-no-go/checklist.ts';
import { REQUIREMENT_IDS } from './requirements.ts';

describe('the drills together', () => {
  test('[P-1] prove every scenario there is', () => {
    const proven = new Set(ALL_DRILLS.flatMap(({ proves }) => proves));
    expect(REQUIREMENT_IDS.filter((id) => !proven.has(id))).toEqual([]);
  });

  test('[P-1] have names of their own, and each proves something', () => {
    const names = ALL_DRILLS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(ALL_DRILLS.filter(({ proves }) => proves.length === 0)).toEqual([]);
  });

  test('[P-2] are each asked for by the checklist, which asks for no other', () => {
    const asked = new Set(CHECKLIST.flatMap(({ drills }) => drills));
    expect([...asked].sort()).toEqual(ALL_DRILLS.map(({ name }) => name).sort());
  });

  test('[P-1] disturb nobody unless the fleet is their own', () => {
    const disturbing = ALL_DRILLS.filter(({ phase, needs }) => phase !== 'calm' && !needs.includes('owned'));
    expect(disturbing).toEqual([]);
  });
});
