import { expect, test } from '@jest/globals';
import { rememberSubjects } from './remember-subjects.ts';

test('[F-2] whose a connection is is asked once in a burst, and again soon after', async () => {
  let [asked, at, providerId] = [0, 0, 'first'];
  const find = rememberSubjects(
    async () => {
      asked += 1;
      return { providerId, calendarProvider: 'google' };
    },
    () => at,
  );
  expect(await find('a')).toEqual({ providerId: 'first', calendarProvider: 'google' });
  providerId = 'second';
  at = 4_999;
  expect([(await find('a'))?.providerId, asked]).toEqual(['first', 1]);
  at = 5_000;
  expect([(await find('a'))?.providerId, asked]).toEqual(['second', 2]);
});

test('[F-2] a connection that is not there is asked for each time', async () => {
  let asked = 0;
  const find = rememberSubjects(async () => {
    asked += 1;
    return null;
  });
  expect([await find('a'), await find('a'), asked]).toEqual([null, null, 2]);
});
