import type { FlagBoard } from './flag-board.ts';
import { switchName } from './switch-names.ts';

/** Why work may not be done now. It stays due in the database, and the sweep brings it back once it may. */
export type Obstacle = 'flag_off' | 'switched_off' | 'not_allowlisted';

export interface WorkSubject {
  readonly connectionId: string;
  readonly providerId: string;
  readonly calendarProvider: 'google' | 'microsoft';
}

/** Whether an answer depends on whose connection it is; while nothing is listed or switched off, nobody need look. */
export function dependsOnSubject({ allowlists }: Pick<FlagBoard, 'allowlists'>): boolean {
  const { providerIds, connectionIds, calendarProvidersOff = [], connectionIdsOff = [] } = allowlists;
  return providerIds !== null || connectionIds !== null || calendarProvidersOff.length + connectionIdsOff.length > 0;
}

/** Whether calendars are worked on at all, whoever is on a list: both flags are needed. */
export function mayWork(flags: Pick<FlagBoard, 'isOn'>): boolean {
  return flags.isOn('CALENDAR_JOBS_ENABLED') && flags.isOn('CALENDAR_SYNC_ENABLED');
}

/** Asked once at the start of every job about a connection; null lets it through. No subject where it does not matter. */
export function findObstacle(flags: FlagBoard, subject: WorkSubject | null): Obstacle | null {
  if (!mayWork(flags)) return 'flag_off';
  if (subject === null) return null;
  const isOn =
    flags.isSwitchOn(switchName('provider', subject.calendarProvider)) &&
    flags.isSwitchOn(switchName('connection', subject.connectionId));
  if (!isOn) return 'switched_off';
  return flags.allows(subject) ? null : 'not_allowlisted';
}
