/** Where evidence lies: for each drill one JSON and one Markdown file, the newest run alone. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Evidence } from './evidence.ts';
import { renderEvidence } from './render-evidence.ts';

export interface EvidenceFiles {
  /** Null where there is no file. */
  readonly json: string | null;
  readonly markdown: string | null;
}

export function writeEvidence(folder: string, evidence: Evidence): void {
  mkdirSync(folder, { recursive: true });
  put(join(folder, `${evidence.drill}.json`), `${JSON.stringify(evidence, null, 2)}\n`);
  put(join(folder, `${evidence.drill}.md`), renderEvidence(evidence));
}

/** Whole or not at all: nobody reads half a file. */
function put(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

export function readEvidence(folder: string, drill: string): EvidenceFiles {
  return { json: read(join(folder, `${drill}.json`)), markdown: read(join(folder, `${drill}.md`)) };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
