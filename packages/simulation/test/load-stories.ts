import { jest } from '@jest/globals';
import type { Stories } from '../src/index.ts';
import { refuseOtherStatements } from './refuse-other-statements.ts';
import { importDatabase, importStories } from './whole-packages.ts';

/** Loads the stories of `@bookiji/sync` with the model's statements in place of those of `@bookiji/db`. */
export async function loadStories(): Promise<Stories> {
  const statements = refuseOtherStatements(await importDatabase());
  jest.unstable_mockModule('@bookiji/db', () => statements);
  return importStories();
}
