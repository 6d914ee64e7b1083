/** No recorded answer is left lying: each kind of them is read by a test, or it is said why not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { CALENDAR_PROVIDERS, type CalendarProvider } from '../src/contract/index.ts';
import { recordingsOf } from './recordings.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FOLDER = join(ROOT, '../shared/fixtures');
const CALIBRATION = 'apps/sandbox/test/calibration.test.ts';

/** By calendar provider and kind: the tests that read every file of it, by its name or by its kind. */
const READ_BY: Readonly<Record<CalendarProvider, Readonly<Record<string, readonly string[]>>>> = {
  google: {
    calendarList: [CALIBRATION],
    error: ['packages/providers/src/google/classify-error.test.ts'],
    event: ['packages/providers/test/google/recorded-pages.test.ts', CALIBRATION],
    'events.instances': ['packages/providers/test/google/recorded-pages.test.ts', CALIBRATION],
    'events.list': ['packages/providers/test/google/recorded-pages.test.ts'],
    freeBusy: [CALIBRATION],
    push: ['packages/providers/src/google/notification.test.ts'],
    token: ['packages/providers/test/google/oauth.test.ts', CALIBRATION],
    'token.error': ['packages/providers/test/google/oauth.test.ts', CALIBRATION],
    watch: ['packages/providers/test/google/channels.test.ts', CALIBRATION],
  },
  microsoft: {
    'calendarView.delta': ['packages/providers/test/microsoft/recorded-pages.test.ts'],
    error: ['packages/providers/src/microsoft/classify-error.test.ts'],
    'events.list.ms': ['packages/providers/test/microsoft/recorded-pages.test.ts'],
    notification: ['packages/providers/src/microsoft/notification.test.ts', CALIBRATION],
    'notification.lifecycle': ['packages/providers/src/microsoft/notification.test.ts'],
    'notification.validation': ['packages/providers/src/microsoft/notification.test.ts', CALIBRATION],
    subscription: ['packages/providers/test/microsoft/channels.test.ts', CALIBRATION],
    token: ['packages/providers/test/microsoft/oauth.test.ts', CALIBRATION],
    'token.error': ['packages/providers/test/microsoft/oauth.test.ts', CALIBRATION],
    // Not asked for: it knows no personal accounts, the default calendar alone and 62 days; see docs/consequences.md.
    getSchedule: [],
  },
};

for (const calendarProvider of CALENDAR_PROVIDERS) {
  const { describeRecorded, readManifest } = recordingsOf(calendarProvider);
  describeRecorded(`recordings of ${calendarProvider}`, () => {
    const entries = readManifest();

    test('[I-3] are all in their manifest, and of kinds that somebody reads', () => {
      const files = readdirSync(join(FOLDER, calendarProvider)).filter((file) => /\.json$/.test(file));
      expect(files.filter((file) => file !== 'manifest.json').sort()).toEqual(entries.map(({ file }) => file).sort());
      expect([...new Set(entries.map(({ kind }) => kind))].sort()).toEqual(
        Object.keys(READ_BY[calendarProvider]).sort(),
      );
    });

    test.each(entries.map(({ file, kind }) => [file, kind] as const))('[I-3] %s is read as %s', (file, kind) => {
      const texts = (READ_BY[calendarProvider][kind] ?? []).map((test) => readFileSync(join(ROOT, test), 'utf8'));
      const isNamed = texts.some((text) => text.includes(file) || text.includes(file.replace(/\.json$/, '')));
      const isReadByKind = texts.some((text) => text.includes(`kind === '${kind}'`));
      const isReadInPart = texts.some((text) => text.includes(`${file.split('-')[0]}-\${`));
      expect([file, isNamed || isReadByKind || isReadInPart || texts.length === 0]).toEqual([file, true]);
    });

    test('[I-3] that say what is busy are pages that are replayed whole', () => {
      const replayed = entries.filter(({ expectedBusy }) => expectedBusy !== undefined).map(({ kind }) => kind);
      const pages =
        calendarProvider === 'google' ? ['events.instances', 'events.list'] : ['calendarView.delta', 'events.list.ms'];
      expect([...new Set(replayed)].sort()).toEqual(pages);
    });
  });
}
