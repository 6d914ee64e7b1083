import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { creationKey, icalUidOf } from './event-identity.ts';

describe('event identity', () => {
  test('[O-2] the key of a booking is the same for ever', () => {
    const key = creationKey('0b5a8a0e-1d3a-4f55-9f0b-1a2b3c4d5e6f', '7f3c2b1a-0000-4000-8000-000000000001', 0);
    expect(key).toEqual({
      googleEventId: '042a782f74e92ef2808cd92a179a514d',
      transactionId: 'bb252ef4-323b-53ef-b4c3-d9e143dbb2c3',
    });
  });

  test('[O-2] the ical_uid is the same for every version and differs between calendar providers', () => {
    const uid = icalUidOf('b', 'p', 'google');
    expect(icalUidOf('b', 'p', 'google')).toBe(uid);
    expect(icalUidOf('b', 'p', 'microsoft')).not.toBe(uid);
    expect(icalUidOf('b2', 'p', 'google')).not.toBe(uid);
  });

  test('[O-3] keys differ by booking, connection and generation, and Google accepts them as ids', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.nat(1000), (booking, connection, generation) => {
        const key = creationKey(booking, connection, generation);
        expect(key.googleEventId).toMatch(/^[0-9a-v]{5,1024}$/);
        expect(key.googleEventId).not.toBe(creationKey(booking, connection, generation + 1).googleEventId);
        expect(key.transactionId).not.toBe(creationKey(connection, booking, generation).transactionId);
      }),
    );
  });
});
