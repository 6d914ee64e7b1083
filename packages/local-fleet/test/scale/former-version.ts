/** The version before the newest migration, out of the repository's own history. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../src/index.ts';

export interface FormerVersion {
  readonly root: string;
  readonly migration: string;
  remove(): void;
}

const git = (...args: string[]) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });

/** Null where the history is not at hand. */
export function findFormerVersion(): { commit: string; migration: string } | null {
  const migration = readdirSync(join(ROOT, 'migrations'))
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .at(-1) as string;
  const added = git('log', '--diff-filter=A', '--format=%H', '--', `migrations/${migration}`).stdout.trim();
  const commit = git('rev-parse', '--verify', '--quiet', `${added}^`).stdout.trim();
  return added === '' || commit === '' ? null : { commit, migration };
}

/** Lays its files out in a folder of their own; packages of others are this version's. */
export function checkOut({ commit, migration }: { commit: string; migration: string }): FormerVersion {
  const root = mkdtempSync(join(tmpdir(), 'calsync-former-'));
  const unpacked = spawnSync('sh', ['-c', `git archive ${commit} | tar -x -C ${root}`], { cwd: ROOT });
  if (unpacked.status !== 0) throw new Error('the former version could not be unpacked');
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  for (const folder of ['apps', 'packages']) {
    for (const name of readdirSync(join(root, folder))) {
      const links = join(ROOT, folder, name, 'node_modules');
      // Relative links: those to the product's own packages lead to the former ones.
      if (existsSync(links))
        cpSync(links, join(root, folder, name, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    }
  }
  return { root, migration, remove: () => rmSync(root, { recursive: true, force: true }) };
}
