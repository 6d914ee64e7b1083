/**
 * Settings are read once, at the start, checked, and passed down. Nothing below a process's `config.ts` reads the
 * environment, with two exceptions in this package: `run-process.ts` asks whether a supervisor started it
 * (`CALSYNC_SUPERVISED`), and the embedded PostgreSQL needs `PATH`.
 */
import { z } from 'zod';

/** A bad or missing variable. The message is one line that names every variable at fault, and never shows a value. */
export class SettingsError extends Error {
  readonly variables: readonly string[];

  constructor(problems: readonly { variable: string; problem: string }[]) {
    super(problems.map(({ variable, problem }) => `${variable} ${problem}`).join('; '));
    this.name = 'SettingsError';
    this.variables = problems.map(({ variable }) => variable);
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables a process needs.
 *
 * @param fields variable name → how it is read; see `fields`.
 * @throws SettingsError
 */
export function loadSettings<Shape extends z.ZodRawShape>(
  fields: Shape,
  environment: Environment,
): z.output<z.ZodObject<Shape>> {
  // An empty value is a variable that somebody forgot to fill in: the same as none.
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = z.object(fields).safeParse(given);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues.map((issue) => {
      const variable = String(issue.path[0] ?? 'environment');
      return { variable, problem: given[variable] === undefined ? 'is missing' : issue.message };
    }),
  );
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function integer(from: number, to: number, fallback: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number from ${from} to ${to}`)
    .transform(Number)
    .refine((value) => value >= from && value <= to, `must be a whole number from ${from} to ${to}`)
    .default(fallback);
}

function port(fallback: number) {
  return integer(0, 65_535, fallback);
}

/** `http://127.0.0.1…` and `http://localhost…` are accepted everywhere; anything else must be https. */
function webUrl() {
  return z
    .string()
    .refine(isWebUrl, 'must be an https URL (http only for 127.0.0.1 and localhost)')
    .transform((url) => url.replace(/\/+$/, ''));
}

function isWebUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}

/** Shorter ones are a mistake. How long is long enough is for whoever makes them: 32 random bytes, say the runbooks. */
const SHORTEST_SECRET = 6;

/** Of a relay: several at once while one follows another. One that holds a comma itself is read whole as well. */
function relaySecrets() {
  return z
    .string()
    .min(SHORTEST_SECRET, `must be at least ${SHORTEST_SECRET} characters`)
    .transform((text) => [...new Set([text, ...splitList(text).filter((part) => part.length >= SHORTEST_SECRET)])])
    .optional();
}

function secrets() {
  return z
    .string()
    .transform(splitList)
    .refine((list) => list.length > 0, 'must hold at least one secret')
    .refine(
      (list) => list.every((secret) => secret.length >= SHORTEST_SECRET),
      `must hold secrets of at least ${SHORTEST_SECRET} characters`,
    );
}

const encryptionKeys = z
  .string()
  .transform(splitList)
  .transform((list) =>
    list.map((item) => {
      const at = item.indexOf(':');
      return { id: item.slice(0, Math.max(at, 0)), key: Buffer.from(item.slice(at + 1), 'base64') };
    }),
  )
  .refine((keys) => keys.length > 0, 'must hold at least one key')
  .refine(
    (keys) => keys.every(({ id, key }) => /^[A-Za-z0-9_-]{1,32}$/.test(id) && key.length === 32),
    'must be id:base64(32 bytes), comma-separated',
  )
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'names one key id twice');

const idList = z
  .string()
  .transform(splitList)
  .refine((ids) => ids.every((id) => UUID.test(id)), 'must be UUIDs, comma-separated')
  .transform((ids) => ids.join(','))
  .optional();

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL');

/** `true` turns on; anything else is off, since only one word may let work near real calendars. `doctor` says what is off. */
const flag = z.string().optional();

/** For what narrows when it is on: there a misspelt `true` must not pass for off. */
const yesOrNo = z
  .string()
  .regex(/^(true|false|1|0|yes|no|on|off)$/i, 'must be true (on) or false (off)')
  .optional();

/** So seldom that it is never: for who wants to see the system without what comes round by itself. */
const YEAR_SECONDS = 31_536_000;
const DAY_MS = 86_400_000;

/** How each variable is read, by its name. A process picks those it needs. */
export const fields = {
  DATABASE_URL: postgresUrl,
  REDIS_URL: z
    .string()
    .regex(/^rediss?(\+(sentinel|cluster))?:\/\//, 'must be a redis:// URL')
    .optional(),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[^:\s]{1,64}$/, 'must be up to 64 characters without ":"')
    .default('{bookiji}'),
  PUBLIC_BASE_URL: webUrl().default('http://127.0.0.1:8080'),
  INGRESS_PORT: port(8080),
  OPS_PORT: port(8081),
  SANDBOX_PORT: port(8090),
  INBOUND_WORKER_PORT: port(9101),
  OUTBOUND_WORKER_PORT: port(9102),
  RETRY_WORKER_PORT: port(9103),
  API_TOKENS: secrets(),
  API_REQUESTS_PER_MINUTE: integer(1, 10_000_000, 60_000),
  OPS_TOKENS: secrets(),
  OPS_READ_ONLY_TOKENS: secrets().optional(),
  OPS_READ_ONLY: yesOrNo,
  TOKEN_ENCRYPTION_KEYS: encryptionKeys,
  CHANNEL_SECRETS: secrets(),
  GOOGLE_CLIENT_ID: z.string(),
  GOOGLE_CLIENT_SECRET: z.string(),
  MICROSOFT_CLIENT_ID: z.string(),
  MICROSOFT_CLIENT_SECRET: z.string(),
  MICROSOFT_TENANT: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,100}$/, 'must be common, organizations, consumers or a tenant')
    .default('common'),
  GOOGLE_API_BASE_URL: webUrl().default('https://www.googleapis.com'),
  GOOGLE_AUTHORIZE_URL: webUrl().default('https://accounts.google.com/o/oauth2/v2/auth'),
  GOOGLE_TOKEN_URL: webUrl().default('https://oauth2.googleapis.com/token'),
  GOOGLE_REVOKE_URL: webUrl().default('https://oauth2.googleapis.com/revoke'),
  MICROSOFT_GRAPH_BASE_URL: webUrl().default('https://graph.microsoft.com'),
  MICROSOFT_LOGIN_BASE_URL: webUrl().default('https://login.microsoftonline.com'),
  GOOGLE_CALENDAR_WEBHOOK_SECRET: relaySecrets(),
  MICROSOFT_CALENDAR_WEBHOOK_SECRET: relaySecrets(),
  CALENDAR_SYNC_ENABLED: flag,
  CALENDAR_OAUTH_ENABLED: flag,
  CALENDAR_JOBS_ENABLED: flag,
  CALENDAR_WEBHOOK_ENABLED: flag,
  CALENDAR_ALLOWLIST_PROVIDER_IDS: idList,
  CALENDAR_ALLOWLIST_CONNECTION_IDS: idList,
  SYNC_WINDOW_PAST_DAYS: integer(0, 10_000, 1),
  SYNC_WINDOW_FUTURE_DAYS: integer(1, 1_000, 90),
  RECONCILE_INTERVAL_SECONDS: integer(1, YEAR_SECONDS, 300),
  SWEEP_INTERVAL_MS: integer(100, DAY_MS, 2_000),
  BACKOFF_BASE_SECONDS: integer(1, YEAR_SECONDS, 300),
  BACKOFF_MAX_SECONDS: integer(1, YEAR_SECONDS, 21_600),
  PROVIDER_TIMEOUT_MS: integer(100, 60_000, 8_000),
  PROVIDER_REQUESTS_PER_MINUTE: integer(60, 100_000_000, 9_000),
  BREAKER_RESET_SECONDS: integer(1, 3_600, 30),
  AUDIT_INTERVAL_SECONDS: integer(60, 2_592_000, 86_400),
  RETENTION_SECONDS: integer(10, 31_536_000, 604_800),
  BOOKING_RETENTION_SECONDS: integer(10, 315_360_000, 7_776_000),
  DELETION_GRACE_SECONDS: integer(0, 86_400, 15),
  WORKER_LOST_AFTER_SECONDS: integer(2, 3_600, 30),
  CHANNEL_RENEW_BEFORE_SECONDS: integer(1, 518_400, 86_400),
  CALSYNC_COMMIT: z
    .string()
    .regex(/^([0-9a-f]{40}|[0-9a-f]{64})(-changed)?$/, "must be a commit's whole hash")
    .optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .regex(/^https?:\/\//, 'must be an http or https URL')
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  LOG_LEVEL: z
    .enum(
      ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      'must be fatal, error, warn, info, debug, trace or silent',
    )
    .default('info'),
  NODE_ENV: z.string().default('production'),
} as const;

/** Picks fields by name: `loadSettings(pick('DATABASE_URL', 'LOG_LEVEL'), process.env)`. */
export function pick<Name extends keyof typeof fields>(...names: Name[]): Pick<typeof fields, Name> {
  return Object.fromEntries(names.map((name) => [name, fields[name]])) as unknown as Pick<typeof fields, Name>;
}
