/** The accounts of both providers and their calendars. */
import { createHash } from 'node:crypto';
import type { Provider } from '../provider.ts';
import { randomToken } from '../random.ts';
import { type AccessRole, CalendarStore } from './calendar-store.ts';

export interface Account {
  readonly provider: Provider;
  readonly email: string;
  /** The provider's own id of the person: Google's `sub`, Microsoft's `oid`. */
  readonly accountId: string;
  displayName: string;
  /** `MailboxSettings.Read` is a permission of its own, which can be refused. */
  refusesMailboxSettings: boolean;
  readonly calendars: CalendarStore[];
}

export interface AccountWish {
  readonly provider: Provider;
  readonly email: string;
  readonly displayName?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly refusesMailboxSettings?: boolean | undefined;
}

export interface CalendarWish {
  readonly id?: string | undefined;
  readonly summary: string;
  readonly timeZone?: string | undefined;
  readonly accessRole?: AccessRole | undefined;
  readonly isWatchable?: boolean | undefined;
}

export class Directory {
  readonly #accounts = new Map<string, Account>();

  accounts(): Account[] {
    return [...this.#accounts.values()];
  }

  find(provider: Provider, email: string): Account | undefined {
    return this.#accounts.get(keyOf(provider, email));
  }

  /** Creates the account or changes what is given of it. */
  put(wish: AccountWish): Account {
    const account = this.find(wish.provider, wish.email) ?? this.#create(wish);
    if (wish.displayName !== undefined) account.displayName = wish.displayName;
    if (wish.refusesMailboxSettings !== undefined) account.refusesMailboxSettings = wish.refusesMailboxSettings;
    const primary = primaryOf(account);
    if (wish.timeZone !== undefined) primary.details.timeZone = wish.timeZone;
    return account;
  }

  remove(provider: Provider, email: string): boolean {
    return this.#accounts.delete(keyOf(provider, email));
  }

  clear(): void {
    this.#accounts.clear();
  }

  addCalendar(account: Account, wish: CalendarWish): CalendarStore {
    const existing = account.calendars.find((calendar) => calendar.details.id === wish.id);
    const calendar = existing ?? newCalendar(account, wish.id ?? secondaryId(account), wish.summary, wish.timeZone);
    if (existing === undefined) account.calendars.push(calendar);
    if (wish.accessRole !== undefined) calendar.details.accessRole = wish.accessRole;
    if (wish.isWatchable !== undefined) calendar.details.isWatchable = wish.isWatchable;
    if (wish.timeZone !== undefined) calendar.details.timeZone = wish.timeZone;
    calendar.details.summary = wish.summary;
    return calendar;
  }

  /** The account's own calendar from now on; the one before it stays, as a further one. */
  makePrimary(account: Account, calendar: CalendarStore): void {
    account.calendars.splice(account.calendars.indexOf(calendar), 1);
    account.calendars.unshift(calendar);
    for (const { details } of account.calendars) details.isPrimary = details === calendar.details;
  }

  #create(wish: AccountWish): Account {
    const { provider } = wish;
    const email = wish.email.toLowerCase();
    const displayName = wish.displayName ?? email.split('@')[0] ?? email;
    const accountId = provider === 'google' ? googleSubject(email) : microsoftObjectId(email);
    const account: Account = { provider, email, accountId, displayName, refusesMailboxSettings: false, calendars: [] };
    const id = provider === 'google' ? email : `AQMkAD${hash(`calendar:${email}`, 'base64url').slice(0, 46)}AAA=`;
    account.calendars.push(newCalendar(account, id, provider === 'google' ? email : 'Calendar', wish.timeZone, true));
    this.#accounts.set(keyOf(provider, email), account);
    return account;
  }
}

export function primaryOf(account: Account): CalendarStore {
  const [primary] = account.calendars;
  if (primary === undefined) throw new Error('an account always has a calendar');
  return primary;
}

/** The account's calendar by its id; `primary` is its own. */
export function calendarOf(account: Account, id: string): CalendarStore | undefined {
  if (id === 'primary') return primaryOf(account);
  const wanted = account.provider === 'google' ? id.toLowerCase() : id;
  return account.calendars.find(({ details }) => details.id === wanted);
}

function newCalendar(account: Account, id: string, summary: string, timeZone = 'UTC', isPrimary = false) {
  const { provider, email: ownerEmail } = account;
  return new CalendarStore({
    provider,
    ownerEmail,
    id,
    isPrimary,
    summary,
    timeZone,
    accessRole: 'owner',
    isWatchable: true,
  });
}

function secondaryId(account: Account): string {
  if (account.provider === 'microsoft') return `AQMkAD${randomToken(34)}AAA=`;
  return `c_${hash(randomToken(), 'hex')}@group.calendar.google.com`;
}

function keyOf(provider: Provider, email: string): string {
  return `${provider}:${email.toLowerCase()}`;
}

function hash(text: string, encoding: 'hex' | 'base64url'): string {
  return createHash('sha256').update(text).digest(encoding);
}

/** The same address is the same person after a reset. */
function googleSubject(email: string): string {
  return `1${BigInt(`0x${hash(`google:${email}`, 'hex').slice(0, 16)}`)
    .toString()
    .padStart(20, '0')}`;
}

function microsoftObjectId(email: string): string {
  const hex = hash(`microsoft:${email}`, 'hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
