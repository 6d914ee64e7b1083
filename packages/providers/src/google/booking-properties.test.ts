import { describe, expect, test } from '@jest/globals';
import { readProperties, writeProperties } from './booking-properties.ts';

const marker = {
  bookingId: '6f1d9f5e-2d0f-4c67-9c0e-3b8f3f6f2a10',
  connectionId: '0b9c3d44-7f53-4f0e-8a51-5a52a7cbb0aa',
  generation: 2,
  version: 17,
};

describe('a booking’s marker', () => {
  test('[I-2] is read back as it was written, beside what others keep there', () => {
    expect(readProperties({ other_app: 'x', ...writeProperties(marker) })).toEqual(marker);
  });

  test.each([1_000_000_000, 1_795_000_000_000, Number.MAX_SAFE_INTEGER])(
    '[O-3] is read back at version %d: a booking service may count in milliseconds',
    (version) => {
      expect(readProperties(writeProperties({ ...marker, version }))).toEqual({ ...marker, version });
    },
  );

  test('fits into what Google keeps: keys of 44 characters, values of 1024', () => {
    for (const [key, value] of Object.entries(writeProperties({ ...marker, version: Number.MAX_SAFE_INTEGER }))) {
      expect(key.length).toBeLessThanOrEqual(44);
      expect(value.length).toBeLessThanOrEqual(1_024);
    }
  });

  test.each([
    ['is not there', undefined],
    ['is no object', 'x'],
    ['is empty', {}],
    ['lacks a part', { ...writeProperties(marker), bookiji_version: undefined }],
    ['names no booking that could be looked up', { ...writeProperties(marker), bookiji_booking: "1'; drop table" }],
    ['names no connection', { ...writeProperties(marker), bookiji_connection: '' }],
    ['has a generation that is no count', { ...writeProperties(marker), bookiji_generation: '-1' }],
    ['has a version that is no count', { ...writeProperties(marker), bookiji_version: '1e3' }],
    ['has a version beyond what can be counted', { ...writeProperties(marker), bookiji_version: '9007199254740992' }],
  ])('is none when it %s', (_, properties) => {
    expect(readProperties(properties)).toBeNull();
  });
});
