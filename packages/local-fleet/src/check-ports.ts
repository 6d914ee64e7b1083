import { createServer } from 'node:net';
import type { Environment } from '@bookiji/runtime';

const DEFAULTS: Readonly<Record<string, string>> = {
  INGRESS_PORT: '8080',
  OPS_PORT: '8081',
  SANDBOX_PORT: '8090',
  INBOUND_WORKER_PORT: '9101',
  OUTBOUND_WORKER_PORT: '9102',
  RETRY_WORKER_PORT: '9103',
};

/**
 * Tries every port before anything starts, so that one in use is one line and not a process in a loop.
 *
 * @throws Error whose message names the variables and ports in use.
 */
export async function checkPorts(environment: Environment, variables: readonly string[]): Promise<void> {
  const inUse: string[] = [];
  for (const variable of variables) {
    const port = Number(environment[variable] || DEFAULTS[variable]);
    if (port !== 0 && !(await isFree(port))) inUse.push(`${variable} ${port} is in use`);
  }
  if (inUse.length > 0) throw new Error(inUse.join('; '));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
