/** Which source is being drilled: its commit, and whether the files are those of the commit. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckout } from '@bookiji/local-fleet';

export interface SourceState {
  /** The commit's hash; without a repository `tree-` and a hash over the files that are run. */
  readonly commit: string;
  /** False when files differ from the commit: what runs is in no commit. */
  readonly isClean: boolean;
}

/** What is run or read by what is run. */
const SOURCES = ['apps', 'packages', 'migrations', 'infra', 'scripts', 'package.json', 'pnpm-lock.yaml'];
const LEFT_OUT = new Set(['node_modules', 'dist']);

export function readSourceState(root: string): SourceState {
  return readCheckout(root) ?? { commit: `tree-${hashFiles(root)}`, isClean: true };
}

function hashFiles(root: string): string {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap((name) => listFiles(root, name)).sort()) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 40);
}

function listFiles(root: string, path: string): string[] {
  try {
    return readdirSync(join(root, path), { withFileTypes: true })
      .filter(({ name }) => !LEFT_OUT.has(name) && !name.endsWith('.tsbuildinfo'))
      .flatMap((entry) => {
        const below = join(path, entry.name);
        if (entry.isDirectory()) return listFiles(root, below);
        return entry.isFile() ? [below] : [];
      });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return [path];
    if (code === 'ENOENT') return [];
    throw error;
  }
}
