/**
 * Packages as a whole, by names in variables: the check for dead exports would otherwise take everything that they export
 * as used here.
 */
import type { Stories } from '../src/index.ts';

const DATABASE: string = '@bookiji/db';
const SYNC: string = '@bookiji/sync';

export function importDatabase(): Promise<object> {
  return import(DATABASE);
}

/** Of `@bookiji/sync`, with whatever stands for `@bookiji/db` by now. */
export function importStories(): Promise<Stories> {
  return import(SYNC) as Promise<typeof import('@bookiji/sync')>;
}
