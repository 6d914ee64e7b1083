/** Recorded answers, kept outside the repository. Tests over them are left out where the folder is absent. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from '@jest/globals';
import type { CalendarProvider } from '../src/contract/index.ts';

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

export interface Recordings {
  /** A `describe` over recordings; one skipped test where there are none. */
  describeRecorded(name: string, tests: () => void): void;
  readFixture(file: string): unknown;
  /** Empty where the folder is absent. */
  readManifest(): ManifestEntry[];
}

export function recordingsOf(calendarProvider: CalendarProvider): Recordings {
  const folder = fileURLToPath(new URL(`../../../../shared/fixtures/${calendarProvider}/`, import.meta.url));
  const readFixture = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));
  return {
    describeRecorded(name, tests) {
      // The recordings lie beside the repository, not in it; without them there is nothing to run.
      if (existsSync(folder)) describe(name, tests);
      else describe.skip(name, () => test('need the recordings', () => {}));
    },
    readFixture,
    readManifest() {
      if (!existsSync(folder)) return [];
      return (readFixture('manifest.json') as { entries: ManifestEntry[] }).entries;
    },
  };
}
