import { rmSync } from 'node:fs';
import type { Servers } from './jest-global-setup.ts';

export default async function globalTeardown(): Promise<void> {
  const { calsyncServers: servers } = globalThis as { calsyncServers?: Servers };
  if (servers === undefined) return;
  await servers.redis?.stop();
  await servers.postgres.stop();
  rmSync(servers.dir, { recursive: true, force: true });
}
