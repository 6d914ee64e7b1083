export { createGoogleAdapter } from './google-adapter.ts';
export { createGoogleOAuth } from './google-oauth.ts';
export {
  type GoogleNotification,
  type GoogleNotificationReading,
  type NotificationHeaders,
  parseGoogleNotification,
} from './notification.ts';
export type { GoogleApiOptions, GoogleOptions } from './options.ts';
