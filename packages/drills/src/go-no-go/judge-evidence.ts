/** GO or NO-GO, from evidence alone. Pure: what is missing, old, failed, altered or of another commit is NO-GO. */
import type { Drill } from '../drill.ts';
import { digestOf, type Evidence, parseEvidence } from '../evidence/evidence.ts';
import type { EvidenceFiles } from '../evidence/evidence-folder.ts';
import { renderEvidence } from '../evidence/render-evidence.ts';
import type { SourceState } from '../evidence/source-state.ts';
import { verdictOf } from '../notebook.ts';
import { REQUIREMENT_IDS } from '../requirements.ts';
import type { ChecklistItem } from './checklist.ts';

/** Older evidence says nothing about today. */
export const EVIDENCE_GOOD_FOR_MS = 24 * 3_600_000;
/** Evidence from a machine whose clock is ahead by more than this is not believed. */
const CLOCK_TOLERANCE_MS = 60_000;

export interface EvidenceQuestion {
  readonly checklist: readonly ChecklistItem[];
  readonly drills: readonly Pick<Drill, 'name' | 'proves'>[];
  readonly read: (drill: string) => EvidenceFiles;
  readonly source: SourceState;
  readonly now: Date;
}

export interface JudgedItem {
  readonly name: string;
  readonly title: string;
  readonly verdict: 'GO' | 'NO-GO';
  /** Why not; each begins with the drill it is about. */
  readonly problems: readonly string[];
}

export interface Judgement {
  readonly verdict: 'GO' | 'NO-GO';
  readonly items: readonly JudgedItem[];
  /** What a reader must know although it is nobody's fault. */
  readonly remarks: readonly string[];
}

export function judgeEvidence(question: EvidenceQuestion): Judgement {
  const problems = new Map(question.drills.map((drill) => [drill.name, findProblem(question, drill)]));
  const items = [
    judge('source', 'the source is a commit', describeSource(question.source)),
    ...question.checklist.map(({ name, title, drills }) =>
      judge(
        name,
        title,
        drills.flatMap((drill) => describeProblem(drill, problems.get(drill))),
      ),
    ),
    judge('every-scenario', 'every required scenario was played', findUnproven(question, problems)),
  ];
  const verdict = items.every((item) => item.verdict === 'GO') ? 'GO' : 'NO-GO';
  return { verdict, items, remarks: remarkOnQueues(question) };
}

/** A machine with Node and npm alone may say GO, and cannot drill the transport that production uses. */
function remarkOnQueues({ drills, read }: EvidenceQuestion): string[] {
  const without = drills.filter(({ name }) => {
    const { json } = read(name);
    return json !== null && parseEvidence(json)?.target.queues === 'PostgreSQL';
  });
  if (without.length === 0) return [];
  const names = without.length === drills.length ? 'all' : without.map(({ name }) => name).join(', ');
  return [
    `Redis was not drilled: the queues lay in PostgreSQL. Production uses Redis, so install redis-server and drill again: ${names}`,
  ];
}

function judge(name: string, title: string, problems: readonly string[]): JudgedItem {
  return { name, title, verdict: problems.length === 0 ? 'GO' : 'NO-GO', problems };
}

function describeSource({ isClean }: SourceState): string[] {
  return isClean ? [] : ['the working tree has changes that are in no commit'];
}

function describeProblem(drill: string, problem: string | null | undefined): string[] {
  if (problem === undefined) return [`${drill}: there is no such drill`];
  return problem === null ? [] : [`${drill}: ${problem}`];
}

function findUnproven({ drills }: EvidenceQuestion, problems: ReadonlyMap<string, string | null>): string[] {
  const proven = new Set(drills.filter(({ name }) => problems.get(name) === null).flatMap(({ proves }) => proves));
  return REQUIREMENT_IDS.filter((id) => !proven.has(id)).map((id) => `${id}: no drill that passed proves it`);
}

/** The first thing that is wrong with a drill's evidence; null when it is good. */
function findProblem(question: EvidenceQuestion, drill: Pick<Drill, 'name' | 'proves'>): string | null {
  const { json, markdown } = question.read(drill.name);
  if (json === null) return 'no evidence';
  const evidence = parseEvidence(json);
  if (evidence === null) return 'the evidence cannot be read';
  if (evidence.drill !== drill.name) return `the evidence is of another drill (${evidence.drill})`;
  if (evidence.digest !== digestOf(evidence)) return 'the evidence was altered';
  if (markdown === null) return 'the evidence has no Markdown';
  if (markdown !== renderEvidence(evidence)) return 'the Markdown says something else than the evidence';
  return findStain(question, drill, evidence);
}

function findStain(question: EvidenceQuestion, drill: Pick<Drill, 'proves'>, evidence: Evidence): string | null {
  const { source, now } = question;
  const failed = evidence.observations.find(({ ok }) => !ok);
  if (failed !== undefined) return `failed: ${failed.what}`;
  if (evidence.verdict !== 'PASS' || verdictOf(evidence.observations, drill.proves) !== 'PASS') return 'failed';
  const strange = findStrangeCommit(evidence);
  if (strange !== null) return strange;
  if (evidence.commit !== source.commit) return `from another commit (${evidence.commit.slice(0, 12)})`;
  if (!evidence.clean) return 'from a working tree with changes that were in no commit';
  const ageMs = now.getTime() - Date.parse(evidence.finished_at);
  if (ageMs > EVIDENCE_GOOD_FOR_MS) return `older than a day (${Math.floor(ageMs / 3_600_000)} hours)`;
  return ageMs < -CLOCK_TOLERANCE_MS ? 'from the future' : null;
}

/** The commit of the evidence is that of the drills; a running fleet must have said that it runs the same, and only that. */
function findStrangeCommit({ target, commit }: Evidence): string | null {
  if (target.kind === 'local') return null;
  const { description, commits = [] } = target;
  const strange = commits.filter((one) => one !== commit);
  if (commits.length === 0 || strange.includes('unknown')) return `played at ${description}, whose commit nobody knows`;
  return strange.length === 0
    ? null
    : `played at ${description}, which ran another commit (${strange[0]?.slice(0, 12)})`;
}
