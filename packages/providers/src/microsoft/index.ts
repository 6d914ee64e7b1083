export { LONGEST_CHANNEL_MINUTES } from './channels.ts';
export { createMicrosoftAdapter } from './microsoft-adapter.ts';
export { createMicrosoftOAuth } from './microsoft-oauth.ts';
export {
  type GraphNotification,
  type GraphNotificationReading,
  parseGraphNotification,
  readValidationToken,
} from './notification.ts';
export type { MicrosoftOptions } from './options.ts';
