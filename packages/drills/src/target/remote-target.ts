/** Somebody else's fleet, spoken to through its doors alone: nothing behind them is touched. */
import { randomUUID } from 'node:crypto';
import { createIngressClient, createSandboxClient } from '@bookiji/local-fleet';
import { z } from 'zod';
import { createOpsClient, type FleetMetrics } from './ops-client.ts';
import { createPrivateWords } from './private-words.ts';
import type { Target } from './target.ts';

export interface RemoteTargetOptions {
  readonly ingressUrl: string;
  /** Without it the drills that ask ops are left out. */
  readonly opsUrl: string | null;
  /** For a fleet whose calendar providers are a sandbox. */
  readonly sandboxUrl: string | null;
  readonly apiToken: string;
  readonly opsToken: string | null;
  /** Test providers on the fleet's allowlist; made-up ones otherwise. */
  readonly providerIds: readonly string[];
}

export function openRemoteTarget(options: RemoteTargetOptions): Target {
  const providerIds = [...options.providerIds];
  const { ingressUrl, opsUrl, opsToken, sandboxUrl } = options;
  const ops = opsUrl === null || opsToken === null ? null : createOpsClient(opsUrl, opsToken);
  return {
    kind: 'remote',
    readCommits: async () => (ops === null ? null : readCommits(await ops.metrics())),
    description: [ingressUrl, opsUrl, sandboxUrl].filter((url) => url !== null).join(', '),
    ingress: createIngressClient(ingressUrl, options.apiToken),
    ops,
    sandbox: sandboxUrl === null ? null : createSandboxClient(sandboxUrl),
    owned: null,
    privateWords: createPrivateWords(),
    nextProviderId: () => providerIds.pop() ?? randomUUID(),
    stop: async () => undefined,
  };
}

const buildShape = z.array(z.object({ commit: z.string(), value: z.number() })).catch([]);

/** Of the processes that report now. Pure. */
function readCommits(metrics: FleetMetrics): string[] {
  const builds = buildShape.parse(metrics.calendar_build_info_by_label);
  return builds.flatMap(({ commit, value }) => (value > 0 ? commit : [])).sort();
}
