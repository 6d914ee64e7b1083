/** Everything the sandbox knows. In memory, gone when the process ends. */
import { Directory } from './calendars/directory.ts';
import type { CommittedChange, Editing } from './calendars/edit-event.ts';
import { createClock, type SandboxClock } from './clock.ts';
import { Faults } from './faults.ts';
import { GoogleChannels } from './google/channels.ts';
import { History } from './history.ts';
import { MailLog } from './mail.ts';
import { Batches } from './microsoft/batches.ts';
import { Subscriptions } from './microsoft/subscriptions.ts';
import { Courier } from './notifications/courier.ts';
import { NotificationFaults } from './notifications/notification-faults.ts';
import { OAuthClients } from './oauth/clients.ts';
import { Grants } from './oauth/grants.ts';
import { RequestLog } from './request-log.ts';
import { changeSettings, defaultSettings, type PartialSettings, type SandboxSettings } from './settings.ts';
import { SlidingWindows } from './sliding-window.ts';

export interface SandboxState extends Editing {
  readonly clock: SandboxClock;
  readonly settings: SandboxSettings;
  readonly directory: Directory;
  readonly history: History;
  readonly grants: Grants;
  readonly clients: OAuthClients;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly courier: Courier;
  readonly notificationFaults: NotificationFaults;
  readonly mail: MailLog;
  readonly googleQuota: SlidingWindows;
  readonly microsoftQuota: SlidingWindows;
  readonly googleChannels: GoogleChannels;
  readonly subscriptions: Subscriptions;
  readonly batches: Batches;
  readonly changeListeners: ((change: CommittedChange) => void)[];
}

export function createState(options: { settings?: PartialSettings; now?: () => number } = {}): SandboxState {
  const clock = createClock(options.now);
  const settings = defaultSettings();
  if (options.settings !== undefined) changeSettings(settings, options.settings);
  const changeListeners: ((change: CommittedChange) => void)[] = [];
  return {
    clock,
    settings,
    directory: new Directory(),
    history: new History(),
    grants: new Grants(clock),
    clients: new OAuthClients(),
    faults: new Faults(),
    requests: new RequestLog(),
    courier: new Courier(settings, clock.now),
    notificationFaults: new NotificationFaults(),
    mail: new MailLog(),
    googleQuota: new SlidingWindows(60_000),
    microsoftQuota: new SlidingWindows(600_000),
    googleChannels: new GoogleChannels(),
    subscriptions: new Subscriptions(),
    batches: new Batches(),
    changeListeners,
    announce: (change) => {
      for (const listener of changeListeners) listener(change);
    },
  };
}

/** As new: accounts, calendars, grants, channels, faults and logs are gone, the clock is right again. */
export function resetState(state: SandboxState): void {
  state.faults.clear();
  state.notificationFaults.clear();
  state.directory.clear();
  state.history.clear();
  state.grants.clear();
  state.clients.clear();
  state.requests.clear();
  state.courier.clear();
  state.mail.clear();
  state.googleQuota.clear();
  state.microsoftQuota.clear();
  state.googleChannels.clear();
  state.subscriptions.clear();
  state.batches.clear();
  changeSettings(state.settings, defaultSettings());
  state.clock.moveTo(0);
}
