/**
 * Where the queues live. Redis when `REDIS_URL` is given, else BullMQ's PostgreSQL backend: the same contract on both.
 * Queues carry doorbells only; losing all of them costs seconds, never facts.
 */
import {
  type Worker as BullWorker,
  createPostgresBackend,
  createRedisBackend,
  type Processor,
  type QueueOptions,
  type Queue as RedisQueue,
  type Telemetry,
  type WorkerOptions,
  withBackend,
} from 'bullmq';
import { Cluster, Redis } from 'ioredis';
import { Client } from 'pg';
import { QUEUE_NAMES } from './queue-names.ts';
import { parseRedisUrl, type RedisTarget } from './redis-url.ts';

export type Transport =
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      readonly prefix: string;
      /** What BullMQ keeps there was made by `prepareQueueSchema`; this login may not make it. */
      readonly isPrepared?: boolean;
    };

/** Carries a trace through jobs. */
export type QueueTelemetry = Telemetry;
export type QueueHandle = RedisQueue;
export type WorkerHandle = BullWorker;
export type JobProcessor = Processor;

export interface QueueSystem {
  /** A queue to add to or to look at; opened once per name. Adding fails fast when the transport is away. */
  queue(name: string): QueueHandle;
  /** A worker; the caller runs and closes it. */
  worker(name: string, processor: JobProcessor, options: WorkerTuning): WorkerHandle;
  /** Throws when the transport does not answer within `timeoutMs`. */
  ping(timeoutMs?: number): Promise<void>;
  /** Whether the transport answers a connection made for this question alone; throws when it does not. */
  probe(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerTuning {
  readonly concurrency: number;
  /** How often a job may be started before it is failed as poison (200); 0 for no limit. */
  readonly maxStartedAttempts?: number;
}

/** Bounded everywhere: with a frozen Redis only `commandTimeout` ends an add. */
const retryStrategy = (times: number) => Math.min(times * 200, 2_000);
const producerRedis = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 1,
  commandTimeout: 500,
  // A line that went dead without a word is given up and made anew; a command's own end would leave it standing.
  socketTimeout: 2_000,
  retryStrategy,
};
const READY_WITHIN_MS = 1_000;
/** A consumer waits for work up to ten seconds in one command. */
const consumerRedis = { maxRetriesPerRequest: null, socketTimeout: 20_000, retryStrategy };

/** A crashed worker's job is found again within seven seconds. Milliseconds. */
export const JOB_LOCK = { lockDuration: 5_000, stalledInterval: 2_000 } as const;

/** Poison is counted in PostgreSQL, not here. */
const workerDefaults = {
  ...JOB_LOCK,
  maxStalledCount: 50,
  maxStartedAttempts: 200,
  drainDelay: 5,
  removeOnComplete: { count: 100 },
  removeOnFail: { age: 7 * 86_400, count: 1_000 },
  // Present so that BullMQ honours rate limits at all; it never bites.
  limiter: { max: 1_000_000, duration: 1_000 },
};

/** Opens the transport. `onError` hears of every lost connection; nothing here throws because of one. */
export function openQueues(
  transport: Transport,
  onError: (error: Error) => void,
  telemetry?: QueueTelemetry,
): QueueSystem {
  const connect = transport.kind === 'redis' ? redisConnector(transport.url, onError) : postgresConnector(transport);
  const classes = withBackend(transport.kind === 'redis' ? createRedisBackend : (createPostgresBackend as never));
  const queues = new Map<string, QueueHandle>();
  const traced = telemetry === undefined ? {} : { telemetry };

  const queue = (name: string): QueueHandle => {
    const known = queues.get(name);
    if (known !== undefined) return known;
    const options = { connection: connect.producer(), prefix: transport.prefix, ...traced } as unknown as QueueOptions;
    const opened = new classes.Queue(name, options as never) as unknown as QueueHandle;
    opened.on('error', onError);
    if (transport.kind === 'redis') boundAdding(opened);
    queues.set(name, opened);
    // BullMQ gets a queue ready once. Where the store goes away in that very moment, the queue refuses everything for as long
    // as the process lives; so it makes way for a new one.
    opened.waitUntilReady().catch(() => {
      if (queues.get(name) === opened) queues.delete(name);
      void opened.close().catch(() => undefined);
    });
    return opened;
  };

  return {
    queue,
    worker(name, processor, tuning) {
      const options = {
        ...workerDefaults,
        ...tuning,
        connection: connect.consumer(),
        prefix: transport.prefix,
        autorun: false,
        ...traced,
      } as unknown as WorkerOptions;
      const worker = new classes.Worker(name, processor as never, options as never) as unknown as WorkerHandle;
      worker.on('error', onError);
      return worker;
    },
    ping: (timeoutMs = 2_000) => within(timeoutMs, queue(QUEUE_NAMES.inboundSync).getJobCounts('waiting')),
    probe: (timeoutMs = 2_000) => connect.probe(timeoutMs),
    async close() {
      await Promise.all([...queues.values()].map((opened) => opened.close()));
      await connect.close();
    },
  };
}

/** A queue that never met its Redis would let every add wait for the first meeting, however long that takes. */
function boundAdding(queue: QueueHandle): void {
  const { add, addBulk } = queue;
  const ready = () => within(READY_WITHIN_MS, queue.waitUntilReady());
  queue.add = async (...job) => {
    await ready();
    return add.apply(queue, job);
  };
  queue.addBulk = async (jobs) => {
    await ready();
    return addBulk.call(queue, jobs);
  };
}

interface Connector {
  producer(): unknown;
  consumer(): unknown;
  probe(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

function redisConnector(url: string, onError: (error: Error) => void): Connector {
  const target = parseRedisUrl(url);
  const opened: (Redis | Cluster)[] = [];
  const open = (options: Record<string, unknown>) => {
    const client = openRedis(target, options);
    client.on('error', onError);
    opened.push(client);
    return client;
  };
  let shared: Redis | Cluster | undefined;
  return {
    producer: () => {
      shared ??= open(producerRedis);
      return shared;
    },
    consumer: () => open(consumerRedis),
    async probe(timeoutMs) {
      const client = openRedis(target, { ...producerRedis, enableOfflineQueue: true, retryStrategy: () => null });
      client.on('error', () => undefined);
      try {
        await within(timeoutMs, client.ping());
      } finally {
        client.disconnect();
      }
    },
    close: async () => {
      for (const client of opened) client.disconnect();
    },
  };
}

function openRedis(target: RedisTarget, options: Record<string, unknown>): Redis | Cluster {
  switch (target.kind) {
    case 'single':
      return new Redis(target.url, options);
    case 'sentinel':
      return new Redis({
        sentinels: [...target.sentinels],
        name: target.master,
        ...target.credentials,
        // Without being told twice ioredis would speak plainly to both.
        ...(target.credentials.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: {} }),
        ...options,
      });
    case 'cluster': {
      const { maxRetriesPerRequest, retryStrategy: clusterRetryStrategy, enableOfflineQueue, ...rest } = options;
      return new Cluster([...target.nodes], {
        clusterRetryStrategy: clusterRetryStrategy as (times: number) => number,
        enableOfflineQueue: enableOfflineQueue !== false,
        redisOptions: { ...target.credentials, maxRetriesPerRequest: maxRetriesPerRequest as number | null, ...rest },
      });
    }
  }
}

function postgresConnector({ url, isPrepared = false }: { url: string; isPrepared?: boolean }): Connector {
  const connection = { connectionString: url, max: 3, migrate: !isPrepared, connectionTimeoutMillis: 2_000 };
  return {
    producer: () => connection,
    consumer: () => connection,
    async probe(timeoutMs) {
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: timeoutMs,
        query_timeout: timeoutMs,
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await client.query('SELECT 1');
      } finally {
        void client.end().catch(() => undefined);
      }
    },
    close: async () => undefined,
  };
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`queue did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
