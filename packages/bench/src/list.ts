import { availabilityBench } from './availability.ts';
import { changeLagBench } from './change-lag.ts';
import { dayBench } from './day/day-bench.ts';
import { duplicatesBench } from './duplicates.ts';
import type { Bench } from './figures.ts';
import { firstSyncBench } from './first-sync.ts';
import { incrementsBench } from './increments.ts';
import { ingressBench } from './ingress/ingress-bench.ts';
import { outboundBench } from './outbound.ts';
import { scaleBench } from './scale.ts';
import { soakBench } from './soak/soak-bench.ts';

export const BENCHES: readonly Bench[] = [
  ingressBench,
  firstSyncBench,
  incrementsBench,
  changeLagBench,
  duplicatesBench,
  outboundBench,
  availabilityBench,
  scaleBench,
];

/** Run only when they are named. */
export const LONG_BENCHES: readonly Bench[] = [dayBench, soakBench];
