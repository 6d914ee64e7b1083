/** The booking event: what the booking service says, validated at the door. */
import { z } from 'zod';
import { instantBetween } from './instant.ts';

/** What a calendar and PostgreSQL can both hold; a year beyond it is a mistake, not an appointment. */
const instant = instantBetween(1970, 9000);

/** Valid JSON may carry a NUL or half a surrogate pair; no PostgreSQL text can. */
const storable = (length: number) =>
  z
    .string()
    .max(length)
    .refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'must be well-formed text without NUL');

/** A form's empty field is no address. Letters beyond ASCII are; a guest's spelling must not cost the booking. */
const emailAddress = z.union([
  z.literal('').transform(() => undefined),
  storable(320).regex(z.regexes.unicodeEmail, 'must be an e-mail address'),
]);

/** Many languages write `null` for what is not there. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const bookingState = z
  .object({
    start: instant,
    end: instant,
    time_zone: z.string().max(64).refine(isTimeZone, 'must be an IANA time zone'),
    title: storable(500).trim().min(1),
    notes: optional(storable(8_000)),
    location: optional(storable(1_000)),
    attendee: optional(z.object({ name: optional(storable(500)), email: optional(emailAddress) })),
  })
  // Said so that a start or end that is no date, which has its own issue, does not raise this one as well.
  .refine((booking) => !(booking.end <= booking.start), { path: ['end'], message: 'must be after start' });

const envelope = {
  schema: z.literal(1),
  event_id: z.guid(),
  booking_id: z.guid(),
  provider_id: z.guid(),
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  occurred_at: instant,
};

/** One fact about a booking. `booking` is its whole new state and may be absent when it was cancelled. */
export const bookingEventSchema = z.discriminatedUnion('type', [
  z.object({ ...envelope, type: z.literal('booking.created'), booking: bookingState }),
  z.object({ ...envelope, type: z.literal('booking.updated'), booking: bookingState }),
  z.object({ ...envelope, type: z.literal('booking.cancelled'), booking: bookingState.nullish() }),
]);

/** As it travels: instants are ISO 8601 strings. */
export type BookingEventMessage = z.input<typeof bookingEventSchema>;
/** As it is after validation: instants are dates. */
export type BookingEvent = z.output<typeof bookingEventSchema>;

export interface FieldIssue {
  /** Dotted path of the field: `booking.end`. */
  readonly path: string;
  readonly message: string;
}

export type ParsedBookingEvent =
  | { readonly ok: true; readonly event: BookingEvent }
  | { readonly ok: false; readonly issues: readonly FieldIssue[] };

/** Validates a payload from the queue or from HTTP. Issues name fields, never values. */
export function parseBookingEvent(data: unknown): ParsedBookingEvent {
  const parsed = bookingEventSchema.safeParse(data);
  if (parsed.success) return { ok: true, event: parsed.data };
  return {
    ok: false,
    issues: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  };
}

/** For people: every field with what is wrong about it; `payload` is what has no field. */
export function describeIssues(issues: readonly FieldIssue[]): string {
  return issues.map(({ path, message }) => `${path || 'payload'}: ${message}`).join('; ');
}

/** Names that are zones: a few hundred, and dear to ask the runtime for. */
const zones = new Set<string>();

/** By name: an offset says nothing of the next change of the clocks, and calendars refuse it. */
function isTimeZone(name: string): boolean {
  if (zones.has(name)) return true;
  if (/^[+-]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    zones.add(name);
    return true;
  } catch {
    return false;
  }
}
