/** What a fleet on this machine may make up for itself: secrets that are kept, flags, and where the sandbox stands. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '@bookiji/runtime';
import { STATE_DIR } from './root.ts';

/** Kept, since tokens in the kept database are sealed by the kept key. */
const SECRETS: Readonly<Record<string, () => string>> = {
  API_TOKENS: () => randomBytes(24).toString('base64url'),
  OPS_TOKENS: () => randomBytes(24).toString('base64url'),
  CHANNEL_SECRETS: () => randomBytes(24).toString('base64url'),
  TOKEN_ENCRYPTION_KEYS: () => `local:${randomBytes(32).toString('base64')}`,
};

const FLAGS = ['CALENDAR_SYNC_ENABLED', 'CALENDAR_OAUTH_ENABLED', 'CALENDAR_JOBS_ENABLED', 'CALENDAR_WEBHOOK_ENABLED'];

/**
 * An environment complete enough for a fleet against a sandbox on this machine. What is given wins, except the
 * addresses of the calendar providers, which are the sandbox's.
 *
 * @param stateDir where made-up secrets are kept, readable by this user alone.
 */
export function localEnvironment(given: Environment, sandboxUrl: string, stateDir: string = STATE_DIR): Environment {
  const filled: Record<string, string | undefined> = { ...given };
  const fallbacks: Record<string, string> = {
    ...keptSecrets(stateDir),
    ...Object.fromEntries(FLAGS.map((flag) => [flag, 'true'])),
    GOOGLE_CLIENT_ID: 'bookiji-local',
    GOOGLE_CLIENT_SECRET: 'a secret of the sandbox',
    MICROSOFT_CLIENT_ID: 'bookiji-local',
    MICROSOFT_CLIENT_SECRET: 'a secret of the sandbox',
  };
  for (const [name, value] of Object.entries(fallbacks)) if (!filled[name]) filled[name] = value;
  return { ...filled, ...sandboxAddresses(sandboxUrl) };
}

/** Where the adapters find the sandbox instead of the real calendar providers. */
function sandboxAddresses(sandboxUrl: string): Record<string, string> {
  return {
    GOOGLE_API_BASE_URL: sandboxUrl,
    GOOGLE_AUTHORIZE_URL: `${sandboxUrl}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${sandboxUrl}/token`,
    GOOGLE_REVOKE_URL: `${sandboxUrl}/revoke`,
    MICROSOFT_GRAPH_BASE_URL: sandboxUrl,
    MICROSOFT_LOGIN_BASE_URL: sandboxUrl,
  };
}

function keptSecrets(stateDir: string): Record<string, string> {
  const file = join(stateDir, 'local-secrets.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : {};
  const complete = Object.fromEntries(Object.entries(SECRETS).map(([name, make]) => [name, kept[name] ?? make()]));
  if (Object.keys(kept).length < Object.keys(SECRETS).length) {
    mkdirSync(stateDir, { recursive: true });
    writeFileSync(file, `${JSON.stringify(complete, null, 2)}\n`, { mode: 0o600 });
  }
  return complete;
}
