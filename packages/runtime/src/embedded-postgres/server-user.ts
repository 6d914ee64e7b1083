/**
 * PostgreSQL refuses to run as root, so root hands it to `nobody`. That user must be able to reach binaries and data,
 * which a checkout below root's own home folder does not allow; both then go to a private folder in the system's
 * temporary directory.
 */
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync, lstatSync, mkdtempSync, readFileSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Null for ordinary users: they run the server themselves. */
export function serverUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  if (entry === undefined)
    throw new Error('the embedded PostgreSQL cannot run as root, and there is no user "nobody" to run it as');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** The directory itself, or one in the temporary directory when a folder above it shuts others out. */
export function reachableDir(dir: string, user: ServerUser): string {
  if (isReachable(dirname(dir))) return dir;
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const parent = join(tmpdir(), `bookiji-postgres-${name}`);
  ownPrivateDir(parent, user);
  return join(parent, 'data');
}

/**
 * A fresh folder below the temporary directory that the server's user can pass through: data kept in it is gone when it
 * is removed. `mkdtemp` alone shuts others out, and the data would go to, and stay in, a folder of their own.
 */
export function makeReachableDir(prefix: string): string {
  const dir = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(dir, 0o711);
  return dir;
}

export function isReachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (existsSync(at) && (statSync(at).mode & 0o001) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** A folder with a guessable name in a world-writable place is only used when it is really ours. */
export function ownPrivateDir(path: string, user: ServerUser): void {
  if (!existsSync(path)) {
    const fresh = mkdtempSync(join(tmpdir(), 'bookiji-'));
    chownSync(fresh, user.uid, user.gid);
    renameSync(fresh, path);
    return;
  }
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== user.uid || (found.mode & 0o022) !== 0) {
    throw new Error(`${path} is there but is not a private folder of this product; remove it`);
  }
}

export function spawnAs(user: ServerUser | null): { uid?: number; gid?: number } {
  return user === null ? {} : { uid: user.uid, gid: user.gid };
}
