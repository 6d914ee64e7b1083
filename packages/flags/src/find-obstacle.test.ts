import { expect, test } from '@jest/globals';
import { dependsOnSubject } from './find-obstacle.ts';

const NO_LISTS = { providerIds: null, connectionIds: null };

test('[F-2] whose connection it is matters as soon as anything is listed or switched off', () => {
  expect(dependsOnSubject({ allowlists: NO_LISTS })).toBe(false);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, calendarProvidersOff: [], connectionIdsOff: [] } })).toBe(false);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, providerIds: [] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, connectionIds: ['c'] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, calendarProvidersOff: ['google'] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, connectionIdsOff: ['c'] } })).toBe(true);
});
