/** A whole fleet with its sandbox on this machine: for the demo, for drills, for tests of the whole. */
import { type Environment, findFreePort, type Supervisor } from '@bookiji/runtime';
import { createReadiness } from './await-readiness.ts';
import { PORTS } from './check-ports.ts';
import { createIngressClient, type IngressClient } from './ingress-client.ts';
import { localEnvironment } from './local-settings.ts';
import { createSandboxClient, type SandboxClient } from './sandbox-client.ts';
import { FLEET_ROLES, type Role, startFleet } from './start-fleet.ts';

export const LOCAL_ROLES: readonly Role[] = ['sandbox', ...FLEET_ROLES];
export const FLEET_PORT_VARIABLES: readonly string[] = FLEET_ROLES.map((role) => PORTS[role][0]);
export const LOCAL_PORT_VARIABLES: readonly string[] = Object.values(PORTS).map(([variable]) => variable);

export interface LocalFleet {
  /** Everything the processes were started with. */
  readonly environment: Environment;
  readonly urls: Readonly<Record<Role, string>>;
  readonly ingress: IngressClient;
  readonly sandbox: SandboxClient;
  readonly opsToken: string;
  readonly supervisor: Supervisor;
  /** Resolves when every process, or each of these, can do its work. */
  ready(withinMs?: number, roles?: readonly Role[]): Promise<void>;
  /** Starts those that were to wait. */
  startLater(): void;
  /** Signals one process; it is started again when it ends. */
  kill(role: Role, signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

export interface LocalFleetOptions {
  /** Its `DATABASE_URL` is current; a port of 0 is any free one. */
  readonly environment: Environment;
  /** Where made-up secrets are kept (`.bookiji`). */
  readonly stateDir?: string;
  readonly onLine: (role: string, line: string, stream: 'stdout' | 'stderr') => void;
  /** Where the processes' programs are; the sources when there are none. */
  readonly programs?: string | null;
  /** These wait for `startLater`. */
  readonly later?: readonly Role[];
}

export async function startLocalFleet(options: LocalFleetOptions): Promise<LocalFleet> {
  const ports = await choosePorts(options.environment);
  const urls = Object.fromEntries(
    LOCAL_ROLES.map((role) => [role, `http://127.0.0.1:${ports[PORTS[role][0]]}`]),
  ) as Record<Role, string>;
  const environment = localEnvironment({ ...options.environment, ...ports }, urls.sandbox, options.stateDir);
  const readiness = createReadiness();
  const supervisor = startFleet(
    environment,
    LOCAL_ROLES,
    (role, line, stream) => {
      readiness.hear(role);
      options.onLine(role, line, stream);
    },
    options.programs,
    options.later,
  );
  return {
    environment,
    urls,
    ingress: createIngressClient(urls.ingress, firstOf(environment.API_TOKENS)),
    sandbox: createSandboxClient(urls.sandbox),
    opsToken: firstOf(environment.OPS_TOKENS),
    supervisor,
    async ready(withinMs = 30_000, roles = LOCAL_ROLES) {
      await Promise.all(roles.map((role) => readiness.of(role, `${urls[role]}/readyz`, withinMs)));
    },
    startLater: () => supervisor.start(options.later ?? []),
    kill(role, signal) {
      const pid = supervisor.pids().get(role);
      if (pid !== undefined) process.kill(pid, signal);
    },
    stop: () => supervisor.stop(),
  };
}

async function choosePorts(environment: Environment): Promise<Record<string, string>> {
  const chosen: Record<string, string> = {};
  for (const [variable, fallback] of Object.values(PORTS)) {
    const wish = environment[variable] || fallback;
    chosen[variable] = wish === '0' ? String(await findFreePort()) : wish;
  }
  return chosen;
}

function firstOf(list: string | undefined): string {
  return (list ?? '').split(',')[0]?.trim() ?? '';
}
