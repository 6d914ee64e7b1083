import { describe, expect, test } from '@jest/globals';
import { KEY_PROPERTY, MARKER_PROPERTY, readKey, readMarker, writeProperties } from './booking-properties.ts';

const MARKER = { bookingId: 'b', connectionId: 'c', generation: 2, version: 7 };
const asRead = (pairs: { id: string; value: string }[]) =>
  new Map(pairs.map(({ id, value }) => [id.toLowerCase(), value]));

describe('a booking’s properties', () => {
  test('[O-3] come back as they were written, whatever the case of the GUID', () => {
    const read = asRead(writeProperties('tx-1', MARKER));
    expect(readMarker(read)).toEqual(MARKER);
    expect(readKey(read)).toBe('tx-1');
  });

  test('[O-3] come back at every version that a booking may have', () => {
    const marker = { ...MARKER, version: Number.MAX_SAFE_INTEGER };
    expect(readMarker(asRead(writeProperties('tx-1', marker)))).toEqual(marker);
  });

  test('[O-3] are stored under names that never change', () => {
    expect(KEY_PROPERTY).toBe('String {b4a7c1de-5f0e-4c52-9d0b-7e2f61c8a935} Name BookijiCreationKey');
    expect(MARKER_PROPERTY).toBe('String {b4a7c1de-5f0e-4c52-9d0b-7e2f61c8a935} Name BookijiMarker');
  });

  test.each(['', 'text', 'null', '{}', '{"bookingId":"b","connectionId":"c","generation":-1,"version":1}'])(
    '[O-3] prove nothing when somebody changed them to %j',
    (value) => {
      expect(readMarker(asRead([{ id: MARKER_PROPERTY, value }]))).toBeNull();
    },
  );

  test('[O-3] prove nothing when they are missing', () => {
    expect([readMarker(new Map()), readKey(new Map())]).toEqual([null, null]);
  });
});
