/** What one drill leaves behind: enough to judge it later without having been there. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Observation, verdictOf } from '../notebook.ts';
import type { DrillRun } from '../run-drill.ts';
import type { PrivateWords } from '../target/private-words.ts';
import type { Target } from '../target/target.ts';
import type { SourceState } from './source-state.ts';

const instant = z.iso.datetime();

const shape = z.strictObject({
  schema: z.literal(1),
  drill: z.string(),
  title: z.string(),
  proves: z.array(z.string()),
  verdict: z.enum(['PASS', 'FAIL']),
  commit: z.string(),
  /** Whether the files were those of the commit, at the start and at the end. */
  clean: z.boolean(),
  target: z.strictObject({
    kind: z.enum(['local', 'remote']),
    description: z.string(),
    /** What carried its queues; nobody knows of a fleet that is not the drill's own. */
    queues: z.enum(['Redis', 'PostgreSQL']).optional(),
    /** What the processes of a running fleet said that they run, before, during and after; `unknown` where one does not. */
    commits: z.array(z.string()).optional(),
  }),
  started_at: instant,
  finished_at: instant,
  duration_ms: z.int().min(0),
  steps: z.array(
    z.strictObject({
      at: instant,
      did: z.string(),
      figures: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    }),
  ),
  observations: z.array(
    z.strictObject({
      at: instant,
      what: z.string(),
      expected: z.unknown(),
      observed: z.unknown(),
      ok: z.boolean(),
    }),
  ),
  /** Over everything else: what was altered afterwards shows. */
  digest: z.string(),
});

export type Evidence = z.output<typeof shape>;

/** Null when the text is no evidence. */
export function parseEvidence(text: string): Evidence | null {
  try {
    return shape.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** What evidence says of what was drilled. */
export interface DrilledTarget extends Pick<Target, 'kind' | 'description' | 'owned' | 'privateWords'> {
  /** Of a running fleet, as its processes told them. */
  readonly commits: readonly string[];
}

/**
 * Writes down a run. Should something private have slipped into what was observed, it is taken out and the drill has
 * failed.
 */
export function createEvidence(run: DrillRun, target: DrilledTarget, source: SourceState): Evidence {
  const { drill, startedAt, finishedAt } = run;
  const { steps, observations } = withoutPrivate(run, target.privateWords);
  const record = {
    schema: 1 as const,
    drill: drill.name,
    title: drill.title,
    proves: [...drill.proves],
    verdict: verdictOf(observations, drill.proves),
    commit: source.commit,
    clean: source.isClean,
    target: {
      kind: target.kind,
      description: target.description,
      ...describeQueues(target.owned),
      ...(target.kind === 'remote' ? { commits: [...target.commits] } : {}),
    },
    started_at: startedAt.toISOString(),
    finished_at: finishedAt.toISOString(),
    duration_ms: finishedAt.getTime() - startedAt.getTime(),
    steps: steps.map((step) => ({ ...step, figures: { ...step.figures } })),
    observations: [...observations],
  };
  return { ...record, digest: digestOf(record) };
}

function describeQueues(owned: Target['owned']): Pick<Evidence['target'], 'queues'> {
  if (owned === null) return {};
  return { queues: owned.redisServer === null ? 'PostgreSQL' : 'Redis' };
}

function withoutPrivate(run: DrillRun, words: PrivateWords): Pick<DrillRun, 'steps' | 'observations'> {
  const text = JSON.stringify({ steps: run.steps, observations: run.observations });
  const found = words.findIn(text);
  if (found.length === 0) return run;
  const cleaned = found.reduce((left, { word }) => left.replaceAll(word, '[private]'), text);
  const { steps, observations } = JSON.parse(cleaned) as Pick<DrillRun, 'steps' | 'observations'>;
  const slip: Observation = {
    at: run.finishedAt.toISOString(),
    what: 'the evidence holds nothing private',
    expected: [],
    observed: found.map(({ kind }) => kind),
    ok: false,
  };
  return { steps, observations: [...observations, slip] };
}

/** Over the record without its digest, whatever the order of its members. */
export function digestOf(record: Omit<Evidence, 'digest'> & { readonly digest?: string }): string {
  const { digest: _, ...rest } = record;
  return createHash('sha256')
    .update(JSON.stringify(sortMembers(rest)))
    .digest('hex');
}

function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sortMembers(member)]));
}
