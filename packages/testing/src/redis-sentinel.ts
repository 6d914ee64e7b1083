/** One master, two replicas and three sentinels on the loopback interface, without persistence. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRedisNode, type RedisNode, untilTrue } from './redis-node.ts';
import { findFreePorts } from './test-ports.ts';

/** Several redis-server processes as one store that can be struck as a single one can. */
export interface RedisGroup {
  readonly url: string;
  /** SIGKILL of the process that takes the writes now. */
  kill(): Promise<void>;
  /** Resolves when there is a process again that takes writes, and the dead one is back. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Every key is gone; how many there were. */
  flush(): Promise<number>;
  stop(): Promise<void>;
}

export interface RedisSentinel extends RedisGroup {
  /** Resolves when another than the killed one is the master; the dead one stays away. */
  failOver(): Promise<void>;
}

const MASTER = 'calsync';
const DATA = ['--save', '', '--loglevel', 'warning', '--repl-diskless-sync-delay', '0'];

export async function startRedisSentinel(): Promise<RedisSentinel> {
  const dir = mkdtempSync(join(tmpdir(), 'calsync-sentinel-'));
  const ports = await findFreePorts(6);
  const data = ports.slice(0, 3).map((port) => createRedisNode(port, dir));
  const sentinels = ports.slice(3).map((port) => createRedisNode(port, dir));
  let master = data[0] as RedisNode;
  let dead: RedisNode | null = null;

  await master.start(...DATA);
  await Promise.all(data.slice(1).map((node) => node.start(...DATA, ...replicaOf(master))));
  await Promise.all(sentinels.map((node) => node.start(writeSentinel(dir, node.port, master.port), '--sentinel')));
  await untilTrue('the sentinels to know the replicas and each other', async () => {
    const states = await Promise.all(sentinels.map(readState));
    return states.every((state) => state.replicas === 2 && state.others === 2);
  });

  const failOver = async () => {
    const lost = (dead ?? master).port;
    await untilTrue('another master', async () => {
      const named = await Promise.all(sentinels.map(readMaster));
      const next = data.find(({ port }) => port === named[0]);
      if (next === undefined || next.port === lost || named.some((port) => port !== next.port)) return false;
      if ((await next.client().role())[0] !== 'master') return false;
      master = next;
      return true;
    });
  };
  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER}`,
    failOver,
    async kill() {
      dead = master;
      await master.kill();
    },
    async start() {
      await failOver();
      await dead?.start(...DATA, ...replicaOf(master));
      dead = null;
    },
    freeze: () => master.signal('SIGSTOP'),
    thaw: () => master.signal('SIGCONT'),
    async flush() {
      const keys = await master.client().dbsize();
      await master.client().flushall();
      return keys;
    },
    async stop() {
      await Promise.all([...data, ...sentinels].map((node) => node.kill()));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const replicaOf = ({ port }: RedisNode) => ['--replicaof', `127.0.0.1 ${port}`];

/** They write into their own file what they find out. */
function writeSentinel(dir: string, port: number, masterPort: number): string {
  const file = join(dir, `sentinel-${port}.conf`);
  writeFileSync(
    file,
    [
      `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
      `sentinel down-after-milliseconds ${MASTER} 500`,
      `sentinel failover-timeout ${MASTER} 2000`,
      '',
    ].join('\n'),
  );
  return file;
}

async function readState(node: RedisNode): Promise<{ replicas: number; others: number }> {
  const list = async (what: string) => ((await node.client().call('SENTINEL', what, MASTER)) as unknown[]).length;
  return { replicas: await list('REPLICAS'), others: await list('SENTINELS') };
}

async function readMaster(node: RedisNode): Promise<number> {
  const address = (await node.client().call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[] | null;
  return Number(address?.[1]);
}
