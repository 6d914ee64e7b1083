import { jest } from '@jest/globals';
import type { Stories } from '../src/index.ts';
import { refuseOtherStatements } from './refuse-other-statements.ts';

/** Loads the stories of `@bookiji/sync` with the model's statements in place of those of `@bookiji/db`. */
export async function loadStories(): Promise<Stories> {
  const statements = refuseOtherStatements(await import('@bookiji/db'));
  jest.unstable_mockModule('@bookiji/db', () => statements);
  return import('@bookiji/sync');
}
