import { z } from 'zod';

const WITH_SECONDS = z.regexes.datetime({ offset: true });
/** As Java writes an instant on the full minute. */
const WITHOUT_SECONDS = z.regexes.datetime({ offset: true, precision: -1 });

/**
 * An instant as others write it: ISO 8601 with `Z` or an offset, read as a date.
 *
 * @param fromYear inclusive.
 * @param toYear exclusive.
 */
export function instantBetween(fromYear: number, toYear: number) {
  const [earliest, latest] = [startOf(fromYear), startOf(toYear)];
  return (
    z
      .string()
      .refine((text) => WITH_SECONDS.test(text) || WITHOUT_SECONDS.test(text), {
        message: 'must be an instant: ISO 8601 with Z or an offset',
        abort: true,
      })
      .transform((text) => new Date(text))
      // What is no date has its issue already.
      .refine(
        (date) => !(date.getTime() < earliest || date.getTime() >= latest),
        `must lie between ${fromYear} and ${toYear}`,
      )
  );
}

/** `Date.UTC` takes years before 100 for those of the last century. */
function startOf(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}
