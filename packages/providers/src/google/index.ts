export { createGoogleAdapter } from './google-adapter.ts';
export { createGoogleOAuth } from './google-oauth.ts';
export {
  type GoogleNotification,
  parseGoogleNotification,
} from './notification.ts';
export type { GoogleApiOptions } from './options.ts';
