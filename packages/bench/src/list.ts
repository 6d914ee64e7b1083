import type { Bench } from './figures.ts';
import { firstSyncBench } from './first-sync.ts';
import { ingressBench } from './ingress/ingress-bench.ts';

export const BENCHES: readonly Bench[] = [ingressBench, firstSyncBench];
