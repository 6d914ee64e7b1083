import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSourceState } from './source-state.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'source-'));
  mkdirSync(join(root, 'apps'));
  writeFileSync(join(root, 'apps', 'main.ts'), 'one');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.example', ...args], { cwd: root, encoding: 'utf8' });

function commitAll(): string {
  git('init', '-q');
  writeFileSync(join(root, '.gitignore'), 'evidence/\n');
  git('add', '-A');
  git('commit', '-qm', 'all');
  return git('rev-parse', 'HEAD').trim();
}

describe('[P-2] the source that is drilled', () => {
  test('is its commit, and clean while nothing differs but what is ignored', () => {
    const commit = commitAll();
    mkdirSync(join(root, 'evidence'));
    writeFileSync(join(root, 'evidence', 'drill.json'), '{}');
    expect(readSourceState(root)).toEqual({ commit, isClean: true });
  });

  test.each([
    ['changed', 'apps/main.ts'],
    ['added', 'apps/other.ts'],
  ])('is not its commit when a file was %s', (_, path) => {
    const commit = commitAll();
    writeFileSync(join(root, path), 'two');
    expect(readSourceState(root)).toEqual({ commit, isClean: false });
  });

  test('without a repository is a hash over its files', () => {
    const before = readSourceState(root);
    expect(before).toEqual({ commit: expect.stringMatching(/^tree-[0-9a-f]{40}$/), isClean: true });
    expect(readSourceState(root)).toEqual(before);
    writeFileSync(join(root, 'apps', 'main.ts'), 'two');
    expect(readSourceState(root).commit).not.toBe(before.commit);
  });
});
