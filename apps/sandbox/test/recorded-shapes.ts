/** Recorded answers of the real providers, kept outside the repository, and how an answer of ours compares with them. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, test } from '@jest/globals';

const FOLDER = fileURLToPath(new URL('../../../../shared/fixtures/', import.meta.url));

/** A `describe` over recordings; one skipped test where there are none. */
export function describeRecorded(name: string, tests: () => void): void {
  // The recordings lie beside the repository, not in it; without them there is nothing to run.
  if (existsSync(FOLDER)) describe(name, tests);
  else describe.skip(name, () => test('needs the recordings', () => {}));
}

export function readRecording<Shape = unknown>(file: string): Shape {
  return JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as Shape;
}

/**
 * Where `shown` lacks something that `recorded` has, or has it in another kind. Values may differ; null may stand for
 * anything; of lists the first items are compared.
 *
 * @param except paths that need not be there, such as `location.address`.
 */
export function differences(recorded: unknown, shown: unknown, except: readonly string[] = [], path = ''): string[] {
  if (except.includes(path) || recorded === null || shown === null) return [];
  if (Array.isArray(recorded)) {
    if (!Array.isArray(shown)) return [`${path}: no list`];
    return recorded.length === 0 || shown.length === 0 ? [] : differences(recorded[0], shown[0], except, `${path}[]`);
  }
  if (typeof recorded !== 'object') return typeof shown === typeof recorded ? [] : [`${path}: ${typeof shown}`];
  if (typeof shown !== 'object') return [`${path}: ${typeof shown}`];
  return Object.entries(recorded).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (except.includes(at)) return [];
    return name in shown
      ? differences(value, (shown as Record<string, unknown>)[name], except, at)
      : [`${at}: missing`];
  });
}
