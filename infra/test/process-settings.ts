import type { Environment, fields } from '@bookiji/runtime';
import { readConfig as readInboundWorker } from '../../apps/inbound-worker/src/config.ts';
import { readConfig as readIngress } from '../../apps/ingress/src/config.ts';
import { readConfig as readOps } from '../../apps/ops/src/config.ts';
import { readConfig as readOutboundWorker } from '../../apps/outbound-worker/src/config.ts';
import { readConfig as readRetryWorker } from '../../apps/retry-worker/src/config.ts';
import type { Role } from './manifests.ts';

/** How each process reads its settings. */
export const READERS: Readonly<Record<Role, (environment: Environment) => Readonly<Record<string, unknown>>>> = {
  ingress: readIngress,
  'inbound-worker': readInboundWorker,
  'outbound-worker': readOutboundWorker,
  'retry-worker': readRetryWorker,
  ops: readOps,
};
export const PORTS: Readonly<Record<Role, keyof typeof fields>> = {
  ingress: 'INGRESS_PORT',
  'inbound-worker': 'INBOUND_WORKER_PORT',
  'outbound-worker': 'OUTBOUND_WORKER_PORT',
  'retry-worker': 'RETRY_WORKER_PORT',
  ops: 'OPS_PORT',
};
/** What stands in for what a deployment keeps secret. */
const SAMPLES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://user@postgres:5432/bookiji',
  REDIS_URL: 'redis://redis:6379',
  TOKEN_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
};
export const sample = (name: string) => SAMPLES[name] ?? `sample-of-${name.toLowerCase()}`;
