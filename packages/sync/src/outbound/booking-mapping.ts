import type { EffectClaim, MappingRow } from '@bookiji/db';
import { checksumOf } from '../inbound/fold-changes.ts';
import { icalUidOf } from './event-identity.ts';

/** The mapping row after a write; null for a booking that never had times. A cancelled one is said of a row that is there. */
export function mappingOf(claim: EffectClaim): MappingRow | null {
  const base = mappingBase(claim);
  if (base === null) return null;
  if (claim.desired.state === 'cancelled') return { ...base, status: 'CANCELLED' };
  return { ...base, status: claim.effect.appliedVersion === 0 ? 'CREATED' : 'UPDATED' };
}

/** What a mapping says whatever became of the write. */
export function mappingBase(claim: EffectClaim): Omit<MappingRow, 'status'> | null {
  const { desired, effect, providerId, calendarProvider } = claim;
  if (desired.startAt === null || desired.endAt === null) return null;
  const icalUid = icalUidOf(effect.bookingId, providerId, calendarProvider);
  const { startAt, endAt } = desired;
  return { providerId, calendarProvider, icalUid, startAt, endAt, checksum: checksumOf(null, icalUid, startAt, endAt) };
}
