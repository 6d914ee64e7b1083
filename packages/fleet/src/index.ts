export { backoffFields, calendarFields, flagFields, storeFields, workerFields } from './fleet-settings.ts';
export {
  type CalendarOpener,
  createCalendarOpener,
  openCalendarsBy,
  openOAuthBy,
} from './open-calendars.ts';
export { openStores } from './open-stores.ts';
export { publishAndMark } from './publish-and-mark.ts';
export { rememberSubjects } from './remember-subjects.ts';
export { startWorker } from './run-worker.ts';
export { startHealth } from './start-health.ts';
