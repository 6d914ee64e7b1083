import { expect, test } from '@jest/globals';
import { dependsOnSubject, mayWork } from './find-obstacle.ts';
import type { FlagName } from './flag-names.ts';

const NO_LISTS = { providerIds: null, connectionIds: null };

test('[F-2] whose connection it is matters as soon as anything is listed or switched off', () => {
  expect(dependsOnSubject({ allowlists: NO_LISTS })).toBe(false);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, calendarProvidersOff: [], connectionIdsOff: [] } })).toBe(false);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, providerIds: [] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, connectionIds: ['c'] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, calendarProvidersOff: ['google'] } })).toBe(true);
  expect(dependsOnSubject({ allowlists: { ...NO_LISTS, connectionIdsOff: ['c'] } })).toBe(true);
});

test('[F-1] the workers work while both of their flags are on', () => {
  const mayWorkWith = (...on: FlagName[]) => mayWork({ isOn: (name) => on.includes(name) });
  expect(mayWorkWith('CALENDAR_JOBS_ENABLED', 'CALENDAR_SYNC_ENABLED')).toBe(true);
  expect(mayWorkWith('CALENDAR_JOBS_ENABLED')).toBe(false);
  expect(mayWorkWith('CALENDAR_SYNC_ENABLED')).toBe(false);
});
