import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandOf, ROOT } from '../src/index.ts';

interface Programs {
  findPrograms(root: string): string | null;
  stateOf(file: string): string;
}

describe('[S-5] programs are never older than what they were made from', () => {
  let root: string;
  let source: string;
  let programs: Programs;
  beforeAll(async () => {
    programs = (await import(pathToFileURL(join(ROOT, 'scripts', 'programs.mjs')).href)) as Programs;
    root = mkdtempSync(join(tmpdir(), 'calsync-programs-'));
    source = join(root, 'source.ts');
    writeFileSync(source, 'one');
    mkdirSync(join(root, '.bookiji', 'programs', 'abc'), { recursive: true });
    note();
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const note = () =>
    writeFileSync(
      join(root, '.bookiji', 'programs', 'made.json'),
      JSON.stringify({ folder: 'abc', inputs: { 'source.ts': programs.stateOf(source) } }),
    );

  test('they are found as long as nothing changes', () => {
    expect(programs.findPrograms(root)).toBe(join(root, '.bookiji', 'programs', 'abc'));
  });

  test.each([
    [
      'a file was written with as many letters, and its time was set back',
      () => {
        writeFileSync(source, 'two');
        utimesSync(source, 0, 0);
      },
    ],
    [
      'another file stands in its place',
      () => {
        writeFileSync(join(root, 'other.ts'), 'one');
        renameSync(join(root, 'other.ts'), source);
      },
    ],
    ['a file is gone', () => rmSync(source)],
    ['the programs are gone', () => rmSync(join(root, '.bookiji', 'programs', 'abc'), { recursive: true })],
    ['the note is cut off', () => writeFileSync(join(root, '.bookiji', 'programs', 'made.json'), '{"folder":')],
  ])('they are not found when %s', (_, change) => {
    writeFileSync(source, 'one');
    utimesSync(source, 0, 0);
    note();
    mkdirSync(join(root, '.bookiji', 'programs', 'abc'), { recursive: true });
    expect(programs.findPrograms(root)).not.toBeNull();
    change();
    expect(programs.findPrograms(root)).toBeNull();
  });
});

test('[S-5] a stack trace of a program names the lines of the sources', () => {
  const built = spawnSync(process.execPath, ['scripts/build-programs.mjs'], { cwd: ROOT, encoding: 'utf8' });
  const { command, args } = commandOf('inbound-worker', built.stdout.trim());
  // Without settings it says so and ends; this lets it say as well who says it.
  const preload = `data:text/javascript,
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (line) => write(line + new Error('here').stack + '\\n');`;
  const { stderr } = spawnSync(command, ['--import', preload, ...args], { env: {}, encoding: 'utf8' });
  expect(stderr).toMatch(/^inbound-worker: .* is missing/m);
  expect(stderr).toMatch(new RegExp(`at fail \\(${join(ROOT, 'packages/runtime/src/run-process.ts')}:\\d+:\\d+\\)`));
  const [, line = ''] = /run-process\.ts:(\d+):/.exec(stderr) ?? [];
  const lines = readFileSync(join(ROOT, 'packages/runtime/src/run-process.ts'), 'utf8').split('\n');
  expect(lines[Number(line) - 1]).toContain('process.stderr.write(');
}, 180_000);
