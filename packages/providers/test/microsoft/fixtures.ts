/** Recorded answers, kept outside the repository. Tests over them are left out where the folder is absent. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from '@jest/globals';

const folder = fileURLToPath(new URL('../../../../../shared/fixtures/microsoft/', import.meta.url));

/** A `describe` over recordings; one skipped test where there are none. */
export function describeRecorded(name: string, tests: () => void): void {
  if (existsSync(folder)) describe(name, tests);
  else describe.skip(name, () => test('need the recordings', () => {}));
}

export function readFixture(file: string): unknown {
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

export interface ManifestEntry {
  readonly file: string;
  readonly kind: string;
  readonly httpStatus: number | null;
  readonly headers?: Record<string, string>;
  readonly given?: { readonly timeZone?: string; readonly mailboxTimeZone?: string };
  readonly expectedBusy?: readonly ExpectedInterval[];
  readonly notBusy?: readonly { readonly id: string }[];
  readonly masters?: readonly string[];
  readonly uncertain?: readonly { readonly id: string; readonly wouldBe: Omit<ExpectedInterval, 'id'> }[];
}

export interface ExpectedInterval {
  readonly id: string;
  readonly startUtc: string;
  readonly endUtc: string;
}

/** Empty where the folder is absent. */
export function readManifest(): ManifestEntry[] {
  if (!existsSync(folder)) return [];
  return (readFixture('manifest.json') as { entries: ManifestEntry[] }).entries;
}
