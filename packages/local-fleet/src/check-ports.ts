import { createServer } from 'node:net';
import type { Environment } from '@bookiji/runtime';
import type { Role } from './start-fleet.ts';

/** Whose port each variable names, and which it is when nobody says. */
export const PORTS: Readonly<Record<Role, readonly [variable: string, fallback: string]>> = {
  ingress: ['INGRESS_PORT', '8080'],
  ops: ['OPS_PORT', '8081'],
  sandbox: ['SANDBOX_PORT', '8090'],
  'inbound-worker': ['INBOUND_WORKER_PORT', '9101'],
  'outbound-worker': ['OUTBOUND_WORKER_PORT', '9102'],
  'retry-worker': ['RETRY_WORKER_PORT', '9103'],
};

/**
 * Tries the port of each of these before anything starts, so that one in use is one line and not a process in a loop.
 * Whether it is a port at all is for the settings to say.
 *
 * @throws Error whose message names the variables and ports in use.
 */
export async function checkPorts(environment: Environment, roles: readonly Role[]): Promise<void> {
  const problems: string[] = [];
  const takenBy = new Map<number, string>();
  for (const [variable, fallback] of roles.map((role) => PORTS[role])) {
    const port = Number(environment[variable] || fallback);
    if (!(port > 0 && port < 65_536)) continue;
    const other = takenBy.get(port);
    if (other !== undefined) problems.push(`${variable} ${port} is that of ${other} too`);
    else if (!(await isFree(port))) problems.push(`${variable} ${port} is in use`);
    takenBy.set(port, variable);
  }
  if (problems.length > 0) throw new Error(problems.join('; '));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
