export { createGoogleAdapter, type GoogleAdapterOptions } from './adapter.ts';
export { type GoogleNotification, parseGoogleNotification } from './notification.ts';
export { createGoogleOAuth, type GoogleOAuthOptions } from './oauth.ts';
