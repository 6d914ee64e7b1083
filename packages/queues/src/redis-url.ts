/** The three shapes of `REDIS_URL`. */
export type RedisTarget =
  | { readonly kind: 'single'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostPort[];
      readonly master: string;
      readonly credentials: Credentials;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostPort[]; readonly credentials: Credentials };

interface HostPort {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
}

/**
 * Parses `redis://`, `rediss://` (one server), `redis+sentinel://[user:pass@]host:port,host:port/master` and
 * `redis+cluster://[user:pass@]host:port,host:port`; the latter two also as `rediss+…` for TLS.
 *
 * @throws Error naming the shape that is wrong, never the credentials.
 */
export function parseRedisUrl(url: string): RedisTarget {
  if (/^rediss?:\/\//.test(url)) return { kind: 'single', url };
  const match = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^:@/]*):([^@/]*)@)?([^/]+)(?:\/(.*))?$/.exec(url);
  if (match === null)
    throw new Error('REDIS_URL must start with redis://, rediss://, redis+sentinel:// or redis+cluster://');
  const [, scheme, kind, username, password, hosts = '', path = ''] = match;
  const credentials: Credentials = {
    ...(username ? { username: decodeURIComponent(username) } : {}),
    ...(password ? { password: decodeURIComponent(password) } : {}),
    ...(scheme === 'rediss' ? { tls: {} } : {}),
  };
  const nodes = hosts.split(',').map(parseHostPort);
  if (kind === 'cluster') return { kind: 'cluster', nodes, credentials };
  if (path === '')
    throw new Error('REDIS_URL for Sentinel must end with the name of the master: redis+sentinel://host:port/master');
  return { kind: 'sentinel', sentinels: nodes, master: path, credentials };
}

function parseHostPort(text: string): HostPort {
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text);
  if (match?.[1] === undefined) throw new Error('REDIS_URL has a host that is not host:port');
  return { host: match[1].replace(/^\[|\]$/g, ''), port: Number(match[2] ?? 6379) };
}
