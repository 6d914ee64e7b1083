/** Who the account is, its mailbox's settings, and its calendars. */
import { type Answer, ok } from '../answer.ts';
import type { CalendarStore } from '../calendars/calendar-store.ts';
import { primaryOf } from '../calendars/directory.ts';
import type { Call, Caller } from '../endpoint.ts';
import { accessDenied, invalidQuery } from './errors.ts';
import { contextOf } from './events-read.ts';
import { findCalendar } from './find-event.ts';
import { needScope } from './protocol.ts';
import type { Resource } from './resource.ts';
import { showZone } from './zones.ts';

export function getProfile(call: Call, caller: Caller): Answer {
  needScope(caller, 'profile');
  const { account } = caller;
  return ok({
    '@odata.context': contextOf(call, 'users/$entity'),
    id: account.accountId,
    displayName: account.displayName,
    mail: account.email,
    userPrincipalName: account.email,
    businessPhones: [],
    mobilePhone: null,
  });
}

/** The scope is optional to ask for, and a mailbox may refuse even so. */
export function getMailboxSettings(call: Call, caller: Caller): Answer {
  needScope(caller, 'settings');
  if (caller.account.refusesMailboxSettings) throw accessDenied();
  const { timeZone } = primaryOf(caller.account).details;
  return ok({
    '@odata.context': contextOf(call, 'me/mailboxSettings'),
    timeZone: showZone(timeZone),
    dateFormat: 'yyyy-MM-dd',
    timeFormat: 'HH:mm',
  });
}

export function listCalendars(call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const value = caller.account.calendars.map((store) => select(call, showCalendar(store)));
  return ok({ '@odata.context': contextOf(call, 'me/calendars'), value });
}

export function getCalendar(call: Call, caller: Caller): Answer {
  needScope(caller, 'basic');
  const calendar = select(call, showCalendar(findCalendar(call, caller)));
  return ok({ '@odata.context': contextOf(call, 'me/calendars/$entity'), ...calendar });
}

function showCalendar({ details }: CalendarStore): Resource {
  const canWrite = details.accessRole === 'owner' || details.accessRole === 'writer';
  return {
    id: details.id,
    name: details.summary,
    color: 'auto',
    changeKey: 'calendar==',
    canShare: details.accessRole === 'owner',
    canViewPrivateItems: true,
    canEdit: canWrite,
    isDefaultCalendar: details.isPrimary,
    isRemovable: !details.isPrimary,
    owner: { name: details.ownerEmail, address: details.ownerEmail },
  };
}

function select(call: Call, whole: Resource): Resource {
  const names = call.query.get('$select')?.split(',') ?? null;
  if (names === null) return whole;
  for (const name of names) if (!(name in whole)) throw invalidQuery(`Could not find a property named '${name}'.`);
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name === 'id' || names.includes(name)));
}
