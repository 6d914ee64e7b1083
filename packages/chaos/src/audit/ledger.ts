/** What the booking service did, by its own books: the truth that the auditor holds against calendars and tables. */

export interface PublishedVersion {
  readonly version: number;
  readonly state: 'live' | 'cancelled';
  /** Instants, milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
}

export interface LedgerBooking {
  readonly bookingId: string;
  readonly providerId: string;
  /** Every version that was ever handed over, in the order of versions. */
  readonly versions: PublishedVersion[];
}

export class Ledger {
  readonly #bookings = new Map<string, LedgerBooking>();
  /** Answers to forged notifications, by status; 0 when nobody answered. */
  readonly forgeries = new Map<number, number>();

  /** Noted before it is handed over: what may have arrived is not unexpected. */
  note(bookingId: string, providerId: string, version: PublishedVersion): void {
    const booking = this.#bookings.get(bookingId) ?? { bookingId, providerId, versions: [] };
    this.#bookings.set(bookingId, booking);
    booking.versions.push(version);
    booking.versions.sort((a, b) => a.version - b.version);
  }

  get bookings(): readonly LedgerBooking[] {
    return [...this.#bookings.values()];
  }

  find(bookingId: string): LedgerBooking | undefined {
    return this.#bookings.get(bookingId);
  }
}

export function newestOf(booking: LedgerBooking): PublishedVersion {
  return booking.versions.at(-1) as PublishedVersion;
}
