/** Accounts and calendars. */
import { z } from 'zod';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { type Account, calendarOf, primaryOf } from '../calendars/directory.ts';
import { isZone } from '../calendars/zone-time.ts';
import { PROVIDERS, type Provider } from '../provider.ts';
import type { SandboxState } from '../state.ts';
import { type AdminCall, AdminError } from './admin-answer.ts';

const zone = z.string().refine(isZone, 'must be an IANA time zone');
const calendarShape = z
  .object({
    id: z.string().min(1).optional(),
    summary: z.string().default('Another calendar'),
    time_zone: zone.optional(),
    access_role: z.enum(['owner', 'writer', 'reader', 'freeBusyReader']).optional(),
    watchable: z.boolean().optional(),
    /** Its owner makes it their default one. Outlook alone lets them. */
    primary: z.literal(true).optional(),
  })
  .strict();

const accountShape = z
  .object({
    calendar_provider: z.enum(PROVIDERS),
    email: z.email(),
    name: z.string().optional(),
    time_zone: zone.optional(),
    /** For the account's own calendar. */
    watchable: z.boolean().optional(),
    access_role: z.enum(['owner', 'writer', 'reader', 'freeBusyReader']).optional(),
    refuse_mailbox_settings: z.boolean().optional(),
    /** Further calendars beside the account's own. */
    calendars: z.array(calendarShape).default([]),
  })
  .strict();

export function putAccount(state: SandboxState, call: AdminCall) {
  const wish = accountShape.parse(call.body);
  const account = state.directory.put({
    provider: wish.calendar_provider,
    email: wish.email,
    displayName: wish.name,
    timeZone: wish.time_zone,
    refusesMailboxSettings: wish.refuse_mailbox_settings,
  });
  const { details } = primaryOf(account);
  if (wish.watchable !== undefined) details.isWatchable = wish.watchable;
  if (wish.access_role !== undefined) details.accessRole = wish.access_role;
  for (const calendar of wish.calendars) {
    const added = state.directory.addCalendar(account, {
      id: calendar.id,
      summary: calendar.summary,
      timeZone: calendar.time_zone ?? details.timeZone,
      accessRole: calendar.access_role,
      isWatchable: calendar.watchable,
    });
    if (calendar.primary !== true) continue;
    if (account.provider === 'google')
      throw new AdminError(400, 'invalid', 'primary: an account keeps its own calendar');
    state.directory.makePrimary(account, added);
  }
  return describeAccount(account);
}

export function listAccounts(state: SandboxState) {
  return { users: state.directory.accounts().map(describeAccount) };
}

export function deleteAccount(state: SandboxState, call: AdminCall): void {
  const account = accountOf(state, call);
  state.grants.revoke(({ provider, email }) => provider === account.provider && email === account.email, 'Gone.');
  for (const channel of state.googleChannels.list()) {
    if (account.calendars.includes(channel.store)) state.googleChannels.stop(channel.id);
  }
  for (const subscription of state.subscriptions.list()) {
    if (account.calendars.includes(subscription.store)) state.subscriptions.remove(subscription.id);
  }
  state.directory.remove(account.provider, account.email);
}

export function accountOf(state: SandboxState, call: AdminCall): Account {
  const provider = call.params.provider as Provider;
  const account = state.directory.find(provider, call.params.email ?? '');
  if (account === undefined) throw new AdminError(404, 'unknown_user', 'no such user at this calendar provider');
  return account;
}

/** The account's own calendar, or the one that `?calendar_id=` names. */
export function storeOf(state: SandboxState, call: AdminCall): CalendarStore {
  const account = accountOf(state, call);
  const store = calendarOf(account, call.query.get('calendar_id') ?? 'primary');
  if (store === undefined) throw new AdminError(404, 'unknown_calendar', 'the user has no such calendar');
  return store;
}

function describeAccount(account: Account) {
  return {
    calendar_provider: account.provider,
    email: account.email,
    name: account.displayName,
    account_id: account.accountId,
    time_zone: primaryOf(account).details.timeZone,
    refuse_mailbox_settings: account.refusesMailboxSettings,
    calendars: account.calendars.map(({ details, size }) => ({
      id: details.id,
      summary: details.summary,
      primary: details.isPrimary,
      time_zone: details.timeZone,
      access_role: details.accessRole,
      watchable: details.isWatchable,
      event_count: size,
    })),
  };
}
