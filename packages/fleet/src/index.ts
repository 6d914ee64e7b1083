export { backoffFields, calendarFields, flagFields, storeFields, workerFields } from './fleet-settings.ts';
export {
  type CalendarOpener,
  type CalendarOpenerOptions,
  createCalendarOpener,
  type OpenableConnection,
  openCalendarsBy,
  type ProviderEdge,
} from './open-calendars.ts';
export { openStores, type StoreSettings, type Stores } from './open-stores.ts';
export { publishAndMark } from './publish-and-mark.ts';
export { rememberSubjects } from './remember-subjects.ts';
export { type QueueWork, startWorker } from './run-worker.ts';
export { startHealth } from './start-health.ts';
