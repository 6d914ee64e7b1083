import type { OperatorLogEntry } from '@bookiji/db';
import type { FlagName } from '@bookiji/flags';
import { QUEUE_NAMES } from '@bookiji/queues';
import { nameOfCalendarProvider } from '@bookiji/sync';
import type { Operator } from '../access/login.ts';
import { type Html, type HtmlPart, html } from '../html/html.ts';
import { page } from '../html/layout.ts';
import { action, badge, section, table } from '../html/parts.ts';
import { ago } from '../html/times.ts';
import type { KillSwitch } from './kill-switches.ts';

export interface SwitchesView {
  readonly now: Date;
  readonly flags: readonly { readonly name: FlagName; readonly isAllowed: boolean; readonly isOn: boolean }[];
  readonly switches: readonly KillSwitch[];
  /** How many ids each list holds; null for no list. */
  readonly allowlists: { readonly providers: number | null; readonly connections: number | null };
  readonly operatorLog: readonly OperatorLogEntry[];
}

const FLAG_MEANINGS: Readonly<Record<FlagName, string>> = {
  CALENDAR_SYNC_ENABLED: 'All syncing, manual requests included',
  CALENDAR_JOBS_ENABLED: 'The workers’ jobs; when off, work waits in the database',
  CALENDAR_WEBHOOK_ENABLED: 'Taking notifications; when off, ingress answers 403 and calendars are polled',
  CALENDAR_OAUTH_ENABLED: 'Connecting calendars',
};

const QUEUE_MEANINGS: Readonly<Record<string, string>> = {
  [QUEUE_NAMES.bookingEvents]: 'Accepting booking events; when off, they wait in the queue',
  [QUEUE_NAMES.inboundSync]: 'Reading calendars',
  [QUEUE_NAMES.outboundSync]: 'Writing bookings to calendars',
  [QUEUE_NAMES.retry]: 'Keeping push channels open, disconnecting, calendar audits',
};

export function renderSwitches(view: SwitchesView, operator: Operator, notice: string | null): string {
  return page(
    { title: 'Switches', place: 'switches', operator, notice },
    html`<div class="head"><h1>Switches</h1><p class="soft">Off parks work, on resumes it; nothing is lost. <a href="/runbooks/draining-and-pausing-queues">Runbook</a></p></div>
    ${section('flags', 'Flags', renderFlags(view, operator))}
    ${section('kill', 'Kill switches', renderKillSwitches(view, operator))}
    ${section('operator-log', 'Operator log', renderOperatorLog(view))}`,
  );
}

function renderFlags({ flags, allowlists }: SwitchesView, operator: Operator): HtmlPart {
  const list = (count: number | null) => (count === null ? 'no list, so all are served' : `${count} listed`);
  return [
    table({
      caption: 'Flags',
      empty: '',
      columns: ['flag', 'controls', 'environment', 'in force', ''],
      rows: flags.map(({ name, isAllowed, isOn }) => [
        html`<code>${name}</code>`,
        FLAG_MEANINGS[name],
        isAllowed ? 'on' : 'off',
        onOff(isOn),
        isAllowed ? turnForm(name, isOn, operator) : html`<span class="soft">the environment says off</span>`,
      ]),
    }),
    html`<p class="soft pad">Allowlists, set in the environment. Providers: ${list(allowlists.providers)}. Connections: ${list(allowlists.connections)}.</p>`,
  ];
}

function renderKillSwitches({ switches, now }: SwitchesView, operator: Operator): Html {
  return table({
    caption: 'Kill switches and shadow mode',
    empty: '',
    columns: ['switch', 'controls', 'in force', 'last changed', ''],
    rows: switches.map(({ name, isOn, turned }) => [
      html`<code>${name.replace('connection:', '')}</code>`,
      explainSwitch(name),
      name === 'shadow' ? (isOn ? badge('busy', 'on') : badge('off', 'off')) : onOff(isOn),
      turned === null
        ? html`<span class="soft">never</span>`
        : html`${ago(turned.changedAt, now)} by ${turned.changedBy}`,
      turnForm(name, isOn, operator),
    ]),
  });
}

function explainSwitch(name: string): HtmlPart {
  if (name === 'shadow') return 'Shadow mode: when on, bookings are planned and logged, but not written';
  const [kind = '', subject = ''] = name.split(':');
  if (kind === 'provider') return `All work with ${nameOfCalendarProvider(subject)}`;
  if (kind === 'queue') return QUEUE_MEANINGS[subject] ?? 'The workers of this queue';
  return html`<a href="/connections/${subject}">This connection</a>`;
}

function onOff(isOn: boolean): Html {
  return isOn ? badge('good', 'on') : badge('off', 'off');
}

function turnForm(name: string, isOn: boolean, operator: Operator): Html | null {
  if (!operator.mayChange) return null;
  const to = isOn ? 'off' : 'on';
  const reasonFor = `turning ${name} ${to}`;
  return action({
    to: '/switches',
    label: `Turn ${to}`,
    fields: { name, to },
    reasonFor,
    isDanger: isOn && name !== 'shadow',
  });
}

function renderOperatorLog({ operatorLog, now }: SwitchesView): Html {
  return table({
    caption: 'What operators did',
    empty: 'Nothing yet.',
    columns: ['when', 'who', 'did', 'to', 'why'],
    rows: operatorLog.map((one) => [
      ago(one.createdAt, now),
      one.actor,
      one.action.replaceAll('_', ' '),
      html`<code>${one.subject}</code>`,
      typeof one.details.reason === 'string' ? one.details.reason : '–',
    ]),
  });
}
