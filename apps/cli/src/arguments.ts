import { isUuid } from '@bookiji/db';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

/** An id from the command line. Throws `CommandError` naming the argument. */
export function parseUuid(name: string, value: string): string {
  if (!isUuid(value)) throw new CommandError(`${name} must be a UUID, not "${value}"`, EXIT.usage);
  return value.toLowerCase();
}

/** A whole number from the command line. */
export function parseCount(name: string, value: string, from = 1): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < from)
    throw new CommandError(`${name} must be a whole number from ${from} on, not "${value}"`, EXIT.usage);
  return count;
}

/** One of some words from the command line. */
export function parseWord<Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new CommandError(`${name} must be ${words.join(', ')}, not "${value}"`, EXIT.usage);
  return word;
}
