import type { RunSize } from '../../src/plan/plan-run.ts';
import type { WorkingRole } from '../../src/stage/open-stage.ts';

const NO_FAULTS = { kill: 0, freeze: 0, redis_flush: 0, redis_kill: 0, redis_freeze: 0, postgres_crash: 0 };

/** A storm of some twelve seconds, with the faults that are asked for. */
export function stormSize(faults: Partial<RunSize['processFaults']>): RunSize {
  return {
    connectionsPerProvider: 6,
    bookings: 300,
    intents: 700,
    ownerActs: 160,
    forgeries: 48,
    ticks: 24,
    processFaults: { ...NO_FAULTS, ...faults },
    providerOrders: { outage: 0, expire_cursors: 1, expire_tokens: 1 },
  };
}

/** Three of ingress and twelve workers. */
export const FIFTEEN: Readonly<Record<WorkingRole, number>> = {
  ingress: 3,
  'inbound-worker': 4,
  'outbound-worker': 5,
  'retry-worker': 3,
};
