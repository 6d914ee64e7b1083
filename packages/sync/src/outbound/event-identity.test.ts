import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { creationKey, icalUidOf } from './event-identity.ts';

const BOOKING = '0b5a8a0e-1d3a-4f55-9f0b-1a2b3c4d5e6f';
/** Of a connection, or of a provider. */
const OTHER = '7f3c2b1a-0000-4000-8000-000000000001';

describe('event identity', () => {
  test('[O-2] the key of a booking is the same for ever', () => {
    expect(creationKey(BOOKING, OTHER, 0)).toEqual({
      googleEventId: '042a782f74e92ef2808cd92a179a514d',
      transactionId: 'bb252ef4-323b-53ef-b4c3-d9e143dbb2c3',
    });
  });

  test('[O-2] the ical_uid of a booking is the same for ever, and differs between calendar providers', () => {
    expect(icalUidOf(BOOKING, OTHER, 'google')).toBe('3db6e117-e374-5be8-8560-77e498f4a5e3@bookiji');
    expect(icalUidOf(BOOKING, OTHER, 'microsoft')).toBe('268c361c-4c9e-5f28-b5be-dc6fb70f743b@bookiji');
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
