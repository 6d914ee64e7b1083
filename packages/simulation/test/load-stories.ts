import { jest } from '@jest/globals';
import type { Stories } from '../src/index.ts';
import { MODEL_STATEMENTS } from '../src/store/model-statements.ts';

/**
 * Loads the stories of `@bookiji/sync` with the model's statements in place of those of `@bookiji/db`. What the model
 * does not have is refused when it is called, so that no story can leave the simulation unnoticed.
 */
export async function loadStories(): Promise<Stories> {
  const real = await import('@bookiji/db');
  const refused = Object.fromEntries(
    Object.entries(real).map(([name, value]) => [name, isClass(value) ? value : () => refuse(name)]),
  );
  jest.unstable_mockModule('@bookiji/db', () => ({ ...refused, ...MODEL_STATEMENTS }));
  return import('@bookiji/sync');
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && value.toString().startsWith('class');
}

function refuse(name: string): never {
  throw new Error(`${name} is not part of the simulation`);
}
