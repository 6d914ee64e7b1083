/** One calendar: its events by id and by creation, and its changes by number. */
import type { Provider } from '../provider.ts';
import { randomToken } from '../random.ts';
import type { StoredEvent } from './calendar-event.ts';

export type AccessRole = 'owner' | 'writer' | 'reader' | 'freeBusyReader';

export interface CalendarDetails {
  readonly provider: Provider;
  /** The account the calendar belongs to. */
  readonly ownerEmail: string;
  /** The provider's id of it; Google's own calendar has the account's address. */
  readonly id: string;
  isPrimary: boolean;
  summary: string;
  timeZone: string;
  accessRole: AccessRole;
  /** docs/lessons.md, C: some calendars (holidays) cannot be watched. */
  isWatchable: boolean;
}

export class CalendarStore {
  readonly details: CalendarDetails;
  readonly #events = new Map<string, StoredEvent>();
  readonly #order: StoredEvent[] = [];
  readonly #byTransaction = new Map<string, StoredEvent>();
  /** Change numbers and the events they touched, in step. Entries overtaken by a later change of the same event stay. */
  #changeNumbers: number[] = [];
  #changedEvents: StoredEvent[] = [];
  /** Written into every cursor; a new one ends all that were handed out before. */
  cursorEpoch = randomToken(6);
  lastChangeNumber = 0;

  constructor(details: CalendarDetails) {
    this.details = details;
  }

  get size(): number {
    return this.#order.length;
  }

  get(id: string): StoredEvent | undefined {
    return this.#events.get(id);
  }

  /** Every event ever created here, deleted ones too; index is the ordinal. */
  get order(): readonly StoredEvent[] {
    return this.#order;
  }

  expireCursors(): void {
    this.cursorEpoch = randomToken(6);
  }

  findByTransaction(transactionId: string): StoredEvent | undefined {
    return this.#byTransaction.get(transactionId);
  }

  add(event: StoredEvent): void {
    this.#events.set(event.id, event);
    this.#order.push(event);
    if (event.transactionId !== null) this.#byTransaction.set(event.transactionId, event);
  }

  noteChange(event: StoredEvent, changeNumber: number): void {
    event.changeNumber = changeNumber;
    this.lastChangeNumber = changeNumber;
    this.#changeNumbers.push(changeNumber);
    this.#changedEvents.push(event);
    if (this.#changeNumbers.length > 4 * this.#order.length + 1000) this.#forgetOvertaken();
  }

  /** Each event changed after `changeNumber` once, at its last change, in the order of those. */
  *changesAfter(changeNumber: number): Generator<StoredEvent> {
    for (let at = this.#firstAfter(changeNumber); at < this.#changeNumbers.length; at += 1) {
      const event = this.#changedEvents[at];
      if (event !== undefined && event.changeNumber === this.#changeNumbers[at]) yield event;
    }
  }

  #firstAfter(changeNumber: number): number {
    let low = 0;
    let high = this.#changeNumbers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changeNumbers[middle] ?? 0) <= changeNumber) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetOvertaken(): void {
    const numbers: number[] = [];
    const events: StoredEvent[] = [];
    this.#changedEvents.forEach((event, at) => {
      if (event.changeNumber !== this.#changeNumbers[at]) return;
      numbers.push(event.changeNumber);
      events.push(event);
    });
    this.#changeNumbers = numbers;
    this.#changedEvents = events;
  }
}
