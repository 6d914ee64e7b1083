/** One bucket per calendar provider for the whole fleet, by the database's clock. */
import { sql } from 'drizzle-orm';
import type { Database } from '../client.ts';
import type { CalendarProvider } from '../schema/calendar-provider.ts';

/**
 * Takes up to `wanted` requests out of the provider's bucket. At most a second's share lies in it after a silence.
 *
 * @returns how many were taken; 0 when it is empty.
 */
export async function takeFromBudget(
  db: Database,
  wish: { calendarProvider: CalendarProvider; wanted: number; perSecond: number },
): Promise<number> {
  const burst = Math.max(1, wish.perSecond);
  const first = Math.min(wish.wanted, Math.floor(burst));
  const filled = sql`least(${burst}::float8,
    b.tokens + greatest(0, extract(epoch FROM now() - b.filled_at)) * ${wish.perSecond}::float8)`;
  const granted = sql`least(${wish.wanted}::int, floor(${filled} + 1e-6)::int)`;
  const [row] = await db.execute<{ granted: number }>(sql`
    INSERT INTO provider_budgets AS b (calendar_provider, tokens, granted)
    VALUES (${wish.calendarProvider}, ${burst - first}::float8, ${first}::int)
    ON CONFLICT (calendar_provider) DO UPDATE
       SET granted = ${granted}, tokens = greatest(0, ${filled} - ${granted}),
           filled_at = greatest(b.filled_at, now())
    RETURNING granted`);
  return row?.granted ?? 0;
}
