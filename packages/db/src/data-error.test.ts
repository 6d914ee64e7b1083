import { describe, expect, test } from '@jest/globals';
import { isDatabaseFailure, isDataError } from './data-error.ts';

const coded = (code: string) => new Error('Failed query', { cause: Object.assign(new Error('refused'), { code }) });

describe('[R-2] an error of a statement', () => {
  test.each([
    ['a value out of range', '22003'],
    ['a broken rule', '23514'],
    ['a double', '23505'],
  ])('that is about the data is final: %s', (_, code) => {
    expect([isDataError(coded(code)), isDatabaseFailure(coded(code))]).toEqual([true, false]);
  });

  test.each([
    ['a row that it refers to has just gone', '23503'],
    ['a deadlock', '40P01'],
    ['a server that shuts down', '57P01'],
    ['a line that broke', 'CONNECTION_CLOSED'],
    ['a server that is not there', 'ECONNREFUSED'],
    ['a name that cannot be resolved now', 'EAI_AGAIN'],
  ])('that another try may cure is not: %s', (_, code) => {
    expect([isDataError(coded(code)), isDatabaseFailure(coded(code))]).toEqual([false, true]);
  });

  test.each([
    ['a plain one', new Error('a live booking has times and details')],
    ['one of the runtime', Object.assign(new TypeError('not a number'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['no error at all', 'thrown'],
  ])('that is not the database’s at all is neither: %s', (_, error) => {
    expect([isDataError(error), isDatabaseFailure(error)]).toEqual([false, false]);
  });
});
