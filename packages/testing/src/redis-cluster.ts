/** Three masters on the loopback interface that share the slots, without persistence. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedisNode, type RedisNode, untilTrue } from './redis-node.ts';
import type { RedisGroup } from './redis-sentinel.ts';
import { findFreePorts } from './test-ports.ts';

const SLOTS = 16_384;

export async function startRedisCluster(): Promise<RedisGroup> {
  const dir = mkdtempSync(join(tmpdir(), 'calsync-cluster-'));
  const ports = await findFreePorts(6);
  const members = ports.slice(0, 3).map((port, at) => {
    const home = join(dir, String(at));
    mkdirSync(home);
    return { node: createRedisNode(port, home), busPort: ports[3 + at] as number, at };
  });
  const nodes = members.map(({ node }) => node);
  const start = ({ node, busPort }: (typeof members)[number]) => node.start(...settingsOf(busPort));
  const untilWhole = () =>
    untilTrue('the cluster to be whole', async () => (await Promise.all(nodes.map(isWhole))).every(Boolean));

  await Promise.all(members.map(start));
  await Promise.all(members.map(({ node, at }) => takeSlots(node, at, members.length)));
  for (const { node, busPort } of members.slice(1))
    await nodes[0]?.client().call('CLUSTER', 'MEET', '127.0.0.1', node.port, busPort);
  await untilWhole();

  let dead: (typeof members)[number] | null = null;
  /** A prefix with a hash tag lies on one node as a whole: the one with the keys. */
  const busiest = async () => {
    const sizes = await Promise.all(nodes.map((node) => node.client().dbsize()));
    return members[sizes.indexOf(Math.max(...sizes))] as (typeof members)[number];
  };
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    async kill() {
      dead = await busiest();
      await dead.node.kill();
    },
    async start() {
      if (dead !== null) await start(dead);
      dead = null;
      await untilWhole();
    },
    freeze: () => void nodes.map((node) => node.signal('SIGSTOP')),
    thaw: () => void nodes.map((node) => node.signal('SIGCONT')),
    async flush() {
      const sizes = await Promise.all(nodes.map((node) => node.client().dbsize()));
      await Promise.all(nodes.map((node) => node.client().flushall()));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    async stop() {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function settingsOf(busPort: number): string[] {
  const own = {
    save: '',
    loglevel: 'warning',
    'cluster-enabled': 'yes',
    'cluster-port': busPort,
    'cluster-node-timeout': 1_000,
  };
  return Object.entries(own).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

async function takeSlots(node: RedisNode, at: number, of: number): Promise<void> {
  const first = Math.ceil((at * SLOTS) / of);
  const last = Math.ceil(((at + 1) * SLOTS) / of) - 1;
  await node.client().call('CLUSTER', 'ADDSLOTSRANGE', first, last);
  await node.client().call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1);
}

async function isWhole(node: RedisNode): Promise<boolean> {
  const info = String(await node.client().call('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_slots_ok:${SLOTS}`);
}
