import { describe, expect, test } from '@jest/globals';
import { readCursor, writeCursor } from './cursor.ts';

describe('the cursor', () => {
  test('[I-1] gives the sync token back', () => {
    expect(readCursor('primary', writeCursor('primary', 'CPDA.o-6y=='))).toEqual({ syncToken: 'CPDA.o-6y==' });
  });

  test('[I-1] says that a round ended without a token', () => {
    expect(readCursor('primary', writeCursor('primary', null))).toEqual({ problem: 'no_sync_token' });
  });

  test.each([
    ['of another calendar', writeCursor('other@example.com', 'token')],
    ['of other parameters', writeCursor('primary', 'token').replace(/^g\d+/, 'g0')],
    ['of no form of ours', 'token'],
  ])('[I-1] one %s is not used', (_, cursor) => {
    expect(readCursor('primary', cursor)).toEqual({ problem: 'foreign_cursor' });
  });

  test('does not hold the calendar’s address', () => {
    expect(writeCursor('someone@example.com', 'token')).not.toContain('example');
  });
});
