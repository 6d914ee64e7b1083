import { describe, expect, test } from '@jest/globals';
import { classifyFailure, type FailureKind, isDatabaseFailure, isDataError } from './data-error.ts';

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

test.each<[FailureKind, string, string]>([
  ['data', '22P02', 'text that is no number'],
  ['data', '23505', 'a double'],
  ['data', '54000', 'a key that is too long for its index'],
  ['away', '23503', 'a row that it refers to has just gone'],
  ['away', '08006', 'a connection that failed'],
  ['away', '40001', 'a rollback for the sake of another'],
  ['away', '53300', 'too many connections'],
  ['away', '55P03', 'a lock that somebody holds'],
  ['away', '57014', 'a statement that took too long'],
  ['away', '57P03', 'a server that starts up'],
  ['away', '58030', 'a disk that cannot be read'],
  ['away', '25006', 'a server that only reads, after a failover'],
  ['away', 'CONNECT_TIMEOUT', 'a server that says nothing'],
  ['away', 'EPIPE', 'a line that broke'],
  ['other', '42703', 'a column that is not there'],
  ['other', '25P02', 'a transaction that failed before'],
  ['other', 'ERR_INVALID_ARG_TYPE', 'an error of the runtime'],
])('[R-2] %s: %s, %s', (kind, code) => {
  expect(classifyFailure(coded(code))).toBe(kind);
  expect(classifyFailure(Object.assign(new Error('bare'), { code }))).toBe(kind);
});
