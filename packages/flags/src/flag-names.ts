/** The four flags. All are off unless the environment says `true` and no operator has switched them off. */
export const FLAG_NAMES = [
  'CALENDAR_SYNC_ENABLED',
  'CALENDAR_OAUTH_ENABLED',
  'CALENDAR_JOBS_ENABLED',
  'CALENDAR_WEBHOOK_ENABLED',
] as const;
export type FlagName = (typeof FLAG_NAMES)[number];

export function isFlagName(name: string): name is FlagName {
  return (FLAG_NAMES as readonly string[]).includes(name);
}

/** What the environment allows at most. */
export interface FlagCeiling {
  readonly flags: Readonly<Record<FlagName, boolean>>;
  /** Null: no list, nothing is restricted. An id must be in every list that exists. */
  readonly providerIds: readonly string[] | null;
  readonly connectionIds: readonly string[] | null;
}

/** The variables the ceiling is read from. */
export type FlagEnvironment = Readonly<
  Partial<
    Record<FlagName | 'CALENDAR_ALLOWLIST_PROVIDER_IDS' | 'CALENDAR_ALLOWLIST_CONNECTION_IDS', string | undefined>
  >
>;

/** Reads the ceiling from already validated environment values: only the exact word `true` turns a flag on. */
export function readFlagCeiling(env: FlagEnvironment): FlagCeiling {
  const flags = Object.fromEntries(FLAG_NAMES.map((name) => [name, env[name] === 'true'])) as Record<FlagName, boolean>;
  return {
    flags,
    providerIds: readIds(env.CALENDAR_ALLOWLIST_PROVIDER_IDS),
    connectionIds: readIds(env.CALENDAR_ALLOWLIST_CONNECTION_IDS),
  };
}

function readIds(list: string | undefined): readonly string[] | null {
  const ids = (list ?? '')
    .split(',')
    .map((id) => id.trim().toLowerCase())
    .filter((id) => id !== '');
  return ids.length === 0 ? null : ids;
}
