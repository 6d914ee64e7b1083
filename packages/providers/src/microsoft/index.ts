export { createMicrosoftAdapter } from './microsoft-adapter.ts';
export { createMicrosoftOAuth } from './microsoft-oauth.ts';
export {
  type GraphNotification,
  parseGraphNotification,
  readValidationToken,
} from './notification.ts';
export type { MicrosoftOptions } from './options.ts';
