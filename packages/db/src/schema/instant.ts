import { timestamp } from 'drizzle-orm/pg-core';

/** A column of `timestamptz`: a moment, whatever the zone of whoever reads it. */
export const instant = () => timestamp({ withTimezone: true, mode: 'date' });
