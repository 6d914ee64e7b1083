import { spawnSync } from 'node:child_process';

export interface Checkout {
  /** The commit's hash. */
  readonly commit: string;
  /** False when files differ from the commit: what runs is in no commit. */
  readonly isClean: boolean;
}

/** What is checked out in a folder; null without git, and inside somebody else's repository. */
export function readCheckout(root: string): Checkout | null {
  const commit = git(root, 'rev-parse', 'HEAD');
  if (commit === null || git(root, 'rev-parse', '--show-prefix') !== '') return null;
  return { commit, isClean: git(root, 'status', '--porcelain') === '' };
}

/** For `CALSYNC_COMMIT`: `<hash>`, or `<hash>-changed` when what runs is in no commit. */
export function nameCheckout({ commit, isClean }: Checkout): string {
  return isClean ? commit : `${commit}-changed`;
}

function git(root: string, ...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}
