import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fields } from '@bookiji/runtime';
import { describe, expect, test } from '@jest/globals';
import { ROLES } from './manifests.ts';
import { PORTS } from './process-settings.ts';
import { ROOT, readText } from './read-files.ts';

describe('the image', () => {
  const dockerfile = readText('infra/docker/Dockerfile');

  test('is no root, has a health check, and starts the sources as the fleet does', () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK .*healthcheck\.mjs"\]$/m);
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "--conditions=@bookiji\/source"/m);
    expect(/^CMD \["(.*)"\]$/m.exec(dockerfile)?.[1]).toBe('apps/ingress/src/main.ts');
  });

  test('holds every process and the operator command, with what they depend on', () => {
    const filters = [...dockerfile.matchAll(/--filter '@bookiji\/([a-z-]+)\.\.\.'/g)].map(([, name]) => name);
    expect(filters.sort()).toEqual([...ROLES, 'cli'].sort());
    const ports = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ').map(Number);
    expect(ports?.sort()).toEqual(ROLES.map((role) => fields[PORTS[role]].parse(undefined)).sort());
  });

  test('the health check says yes to the process of the container, and no to silence', async () => {
    const server = createServer((request, response) =>
      response.writeHead(request.url === '/healthz' ? 200 : 404).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const silent = { INGRESS_PORT: '1', INBOUND_WORKER_PORT: '1', OUTBOUND_WORKER_PORT: '1', RETRY_WORKER_PORT: '1' };
    expect(await checkHealth({ ...silent, OPS_PORT: String(port) })).toBe(0);
    await new Promise((resolve) => server.close(resolve));
    expect(await checkHealth({ ...silent, OPS_PORT: '1' })).toBe(1);
  });
});

async function checkHealth(env: Record<string, string>): Promise<number | null> {
  const child = spawn(process.execPath, [join(ROOT, 'infra/docker/healthcheck.mjs')], { env });
  return new Promise((resolve) => child.once('exit', resolve));
}
