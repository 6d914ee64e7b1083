/**
 * The processes of a local fleet as programs of few files, for a start that need not find, read and translate a
 * thousand modules each: see `build-programs.mjs`. Nothing but Node's own, any version from 20 on.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Below the state folder: what was built from what, and a folder per build. */
export const PROGRAMS = 'programs';

/**
 * The folder of programs made from exactly what lies here now; null when there is none, or a file it was made from was
 * written since.
 */
export function findPrograms(root) {
  const home = join(root, '.bookiji', PROGRAMS);
  try {
    const { folder, inputs } = JSON.parse(readFileSync(join(home, 'made.json'), 'utf8'));
    const isCurrent = Object.entries(inputs).every(([path, state]) => stateOf(join(root, path)) === state);
    return isCurrent && existsSync(join(home, folder)) ? join(home, folder) : null;
  } catch {
    return null;
  }
}

/**
 * Nobody writes a file, copies one over it or puts another in its place without changing this. A file of a package is
 * shared with other checkouts, and its inode is touched by each of them.
 */
export function stateOf(file) {
  const { ino, size, mtimeMs, ctimeMs } = statSync(file);
  return `${ino} ${size} ${mtimeMs}${file.includes('/node_modules/') ? '' : ` ${ctimeMs}`}`;
}
