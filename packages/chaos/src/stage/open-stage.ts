/** Everything a run plays on: PostgreSQL, Redis, the sandbox and the fleet's processes, all its own. */
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BookingDesk,
  createIngressClient,
  createSandboxClient,
  type IngressClient,
  localEnvironment,
  openBookingDesk,
  type Role,
  type SandboxClient,
  STATE_DIR,
} from '@bookiji/local-fleet';
import { type Environment, findFreePort, makeReachableDir } from '@bookiji/runtime';
import postgres from 'postgres';
import { type Balancer, startBalancer } from './balancer.ts';
import { type CrashPostgres, startCrashPostgres } from './crash-postgres.ts';
import { type CrashRedis, startCrashRedis } from './crash-redis.ts';
import { Crew, type CrewEvents, type MemberPlan } from './crew.ts';

export type WorkingRole = Exclude<Role, 'sandbox' | 'ops'>;

export interface StageOptions {
  /** How many processes of each role. */
  readonly size: Readonly<Record<WorkingRole, number>>;
  readonly isProbed: boolean;
  readonly environment?: Environment;
  readonly events?: CrewEvents;
  /** Something else than one server. */
  readonly startRedis?: () => Promise<CrashRedis>;
  readonly startPostgres?: (dir: string) => Promise<CrashPostgres>;
  /** Stands between the processes and PostgreSQL; the auditor goes past it. */
  readonly startPooler?: (databaseUrl: string) => Promise<Pooler>;
}

export interface Pooler {
  /** The same database through it. */
  through(databaseUrl: string): string;
  stop(): Promise<void>;
}

export interface Stage {
  readonly postgres: CrashPostgres;
  readonly redis: CrashRedis;
  readonly crew: Crew;
  readonly sandbox: SandboxClient;
  readonly ingress: IngressClient;
  readonly desk: BookingDesk;
  /** The auditor's and the workload's own connections. */
  readonly sql: postgres.Sql;
  readonly environment: Environment;
  close(): Promise<void>;
}

const PORT_VARIABLES: Readonly<Record<WorkingRole | 'sandbox', string>> = {
  ingress: 'INGRESS_PORT',
  'inbound-worker': 'INBOUND_WORKER_PORT',
  'outbound-worker': 'OUTBOUND_WORKER_PORT',
  'retry-worker': 'RETRY_WORKER_PORT',
  sandbox: 'SANDBOX_PORT',
};

/** Nothing of the caller's environment but what a process needs to run at all. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

const SETTINGS: Environment = {
  NODE_ENV: 'chaos',
  LOG_LEVEL: 'warn',
  SWEEP_INTERVAL_MS: '1000',
  BACKOFF_BASE_SECONDS: '1',
  BACKOFF_MAX_SECONDS: '2',
  BREAKER_RESET_SECONDS: '1',
  PROVIDER_TIMEOUT_MS: '2500',
};

export async function openStage(options: StageOptions): Promise<Stage> {
  const dir = makeReachableDir('calsync-chaos-');
  const closers: (() => Promise<unknown> | unknown)[] = [() => rmSync(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const [postgresServer, redis] = await Promise.all([
      (options.startPostgres ?? startCrashPostgres)(dir),
      (options.startRedis ?? startCrashRedis)(),
    ]);
    closers.push(
      () => postgresServer.stop(),
      () => redis.stop(),
    );
    const pooler = await options.startPooler?.(postgresServer.url);
    closers.push(() => pooler?.stop());
    const databaseUrl = pooler?.through(postgresServer.url) ?? postgresServer.url;
    const plans = await planMembers(options, dir, { DATABASE_URL: databaseUrl, REDIS_URL: redis.url });
    closers.push(() => plans.balancer.stop());
    const crew = new Crew(plans.members, options.events ?? {});
    plans.knowHealth((port) => crew.members.find(({ plan }) => plan.port === port)?.isHealthy ?? false);
    closers.push(() => crew.stop());
    crew.start();
    const desk = openBookingDesk(plans.environment);
    closers.push(() => desk.close());
    const sql = postgres(postgresServer.url, { max: 6, onnotice: () => undefined, connect_timeout: 5 });
    closers.push(() => sql.end({ timeout: 2 }));
    await crew.ready();
    const apiToken = plans.environment.API_TOKENS ?? '';
    return {
      postgres: postgresServer,
      redis,
      crew,
      sandbox: createSandboxClient(plans.sandboxUrl),
      ingress: createIngressClient(plans.balancer.url, apiToken),
      desk,
      sql,
      environment: plans.environment,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Plans {
  readonly knowHealth: (ask: (port: number) => boolean) => void;
  readonly balancer: Balancer;
  readonly sandboxUrl: string;
  readonly environment: Environment;
  readonly members: readonly MemberPlan[];
}

async function planMembers(options: StageOptions, dir: string, stores: Environment): Promise<Plans> {
  const { size, isProbed } = options;
  const roles = Object.keys(size) as WorkingRole[];
  const wanted = roles.flatMap((role) => Array.from({ length: size[role] }, (_, at) => ({ role, number: at + 1 })));
  const ports = await freePorts(wanted.length + 1);
  const sandboxPort = ports.at(-1) as number;
  const sandboxUrl = `http://127.0.0.1:${sandboxPort}`;
  const ingressPorts = wanted.flatMap(({ role }, at) => (role === 'ingress' ? [ports[at] as number] : []));
  let isHealthy: (port: number) => boolean = () => true;
  const balancer = await startBalancer(ingressPorts, (port) => isHealthy(port));
  const given = {
    ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
    ...SETTINGS,
    ...stores,
    API_TOKENS: randomBytes(24).toString('base64url'),
    QUEUE_PREFIX: `{chaos-${randomUUID().slice(0, 8)}}`,
    PUBLIC_BASE_URL: balancer.url,
    // Halves the start of a process; the many that are killed here start again.
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(STATE_DIR, 'compile-cache'),
    ...options.environment,
  };
  const environment = localEnvironment(given, sandboxUrl, dir);
  const member = (role: WorkingRole | 'sandbox', name: string, port: number, probed: boolean): MemberPlan => ({
    name,
    role,
    port,
    environment: { ...environment, [PORT_VARIABLES[role]]: String(port) },
    isProbed: probed,
  });
  const members = wanted.map(({ role, number }, at) =>
    member(role, `${role}.${number}`, ports[at] as number, isProbed),
  );
  const knowHealth = (ask: (port: number) => boolean) => {
    isHealthy = ask;
  };
  return {
    knowHealth,
    balancer,
    sandboxUrl,
    environment,
    members: [member('sandbox', 'sandbox', sandboxPort, false), ...members],
  };
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}
