import { join } from 'node:path';
import { type Environment, fields, loadSettings, type Supervisor, superviseProcesses } from '@bookiji/runtime';
import { environmentOf } from './database-roles.ts';
import { ROOT } from './root.ts';

export const FLEET_ROLES = ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker', 'ops'] as const;
export type Role = (typeof FLEET_ROLES)[number] | 'sandbox';

/**
 * What Node is told before a role's entry, and cannot be told by the entry itself; `infra/` says the same.
 *
 * A large calendar's pages are much garbage in a short time. Left to itself Node lets the young part of a heap grow to a
 * hundred megabytes before it is a reason to collect, and the old part to a size that it guessed at the start.
 */
export function nodeOptionsOf(role: Role): string[] {
  return role === 'inbound-worker' ? ['--max-semi-space-size=8', '--initial-old-space-size=48'] : [];
}

/**
 * How one process is started; its command line contains its role.
 *
 * @param programs a folder that `scripts/build-programs.mjs` made; null for the sources themselves.
 */
export function commandOf(role: Role, programs: string | null = null): { command: string; args: string[] } {
  if (programs !== null)
    return { command: process.execPath, args: [...nodeOptionsOf(role), join(programs, `${role}.mjs`)] };
  return {
    command: process.execPath,
    args: [
      '--conditions=@bookiji/source',
      '--disable-warning=ExperimentalWarning',
      `--import=${join(ROOT, 'scripts', 'quick-imports.mjs')}`,
      ...nodeOptionsOf(role),
      join(ROOT, 'apps', role, 'src', 'main.ts'),
    ],
  };
}

/** Reads every variable once before anything starts, so that a bad one is one line and not five processes in a loop. */
export function checkSettings(environment: Environment, roles: readonly Role[]): void {
  const { DATABASE_URL, SANDBOX_PORT, ...always } = fields;
  loadSettings(
    {
      ...always,
      ...(roles.includes('sandbox') ? { SANDBOX_PORT } : {}),
      ...(environment.DATABASE_URL ? { DATABASE_URL } : {}),
    },
    environment,
  );
}

/** Where calendar providers reach ingress: on this machine at its port, unless the environment names an address. */
export function publicBaseUrlOf(environment: Environment): string {
  const here = `http://127.0.0.1:${environment.INGRESS_PORT || '8080'}`;
  // What is no port is to be said once, of the port.
  return environment.PUBLIC_BASE_URL || (URL.canParse(here) ? here : 'http://127.0.0.1:8080');
}

/** @param later the ones that wait for a `start` of their own. */
export function startFleet(
  environment: Environment,
  roles: readonly Role[],
  onLine: (role: string, line: string, stream: 'stdout' | 'stderr') => void,
  programs: string | null = null,
  later: readonly Role[] = [],
): Supervisor {
  // What is compiled of programs is forgotten together with them.
  const compiled = programs === null ? {} : { NODE_COMPILE_CACHE: join(programs, 'compiled') };
  const env = { ...environment, ...compiled, PUBLIC_BASE_URL: publicBaseUrlOf(environment) };
  const supervisor = superviseProcesses(
    roles.map((role) => ({ role, ...commandOf(role, programs), env: environmentOf(role, env) })),
    {
      onLine,
      onExit: (role, { code, signal, restartMs }) => {
        if (restartMs === null) return;
        onLine('fleet', `${role} ended (${signal ?? `code ${code}`}); again in ${restartMs} ms`, 'stderr');
      },
    },
  );
  supervisor.start(roles.filter((role) => !later.includes(role)));
  return supervisor;
}
