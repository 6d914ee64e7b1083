/**
 * The tables that name a proof name tests and decisions that exist; the ids that titles begin with are defined; and where a
 * page has a row for each of something, none is missing.
 */
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PATTERNS = [
  'apps/*/src/**/*.test.ts',
  'apps/*/test/**/*.ts',
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.ts',
  'infra/test/**/*.ts',
];
const TESTS = globSync(PATTERNS, { cwd: ROOT, exclude: (name) => name === 'node_modules' || name === 'dist' })
  .map((file) => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n');

interface Row {
  readonly name: string;
  readonly proof: string;
}

/** Rows of every table with a column `proof` at its end. */
function readRows(file: string): Row[] {
  const rows: Row[] = [];
  let isProofTable = false;
  for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
    if (!line.startsWith('|')) isProofTable = false;
    else if (/\| proof \|$/.test(line)) isProofTable = true;
    else if (isProofTable && !/^\| ?---/.test(line)) {
      const cells = line.slice(1, -1).split(' | ');
      rows.push({ name: cells.slice(0, -1).join(' ').trim(), proof: cells.at(-1) ?? '' });
    }
  }
  return rows;
}

/** A title stands whole between quotation marks, after the ids of what it proves. */
function isTitle(text: string): boolean {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "\\\\?'");
  return new RegExp(`['"\`](?:\\[[A-Z]+-\\d+\\] ?)*${escaped}['"\`]`).test(TESTS);
}

const titlesIn = (proof: string) => [...proof.matchAll(/`([^`]+)`/g)].map(([, title = '']) => title);
const linksIn = (proof: string) => [...proof.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link);

describe.each(['docs/consequences.md', 'docs/lessons.md'])('%s', (file) => {
  const rows = readRows(file);

  test('has rows', () => {
    expect(rows.length).toBeGreaterThan(10);
  });

  test.each(rows.map(({ name, proof }) => [name, proof] as const))('proves "%s"', (_name, proof) => {
    const [titles, links] = [titlesIn(proof), linksIn(proof)];
    expect(titles.length + links.length).toBeGreaterThan(0);
    // A path is no title; whether it leads somewhere is looked at all the same.
    const missing = titles.filter((title) =>
      /^[\w./-]+\/[\w./-]+$/.test(title) ? globSync(title, { cwd: ROOT }).length === 0 : !isTitle(title),
    );
    expect(missing).toEqual([]);
    expect(links.filter((link) => globSync(join(dirname(file), link), { cwd: ROOT }).length === 0)).toEqual([]);
  });
});

test('the index of decisions lists each of them under its title', () => {
  const index = readFileSync(join(ROOT, 'docs/decisions/README.md'), 'utf8');
  const files = globSync('docs/decisions/0*.md', { cwd: ROOT }).sort();
  expect(files.length).toBeGreaterThan(20);
  const rows = files.map((file) => {
    const [, number = '', title = ''] = /^# (\d{4}) (.+)$/m.exec(readFileSync(join(ROOT, file), 'utf8')) ?? [];
    return `| [${number}](${basename(file)}) | ${title} |`;
  });
  expect(rows.filter((row) => !index.includes(row))).toEqual([]);
});

test('the runbook about rolling back says of every migration what is lost with it, the newest first', () => {
  const runbook = readFileSync(join(ROOT, 'docs/runbooks/rolling-back-migrations.md'), 'utf8');
  const names = globSync('migrations/*.sql', { cwd: ROOT }).map((file) => basename(file, '.sql'));
  expect(names.length).toBeGreaterThan(20);
  expect([...runbook.matchAll(/^\| `(\d{4}_\w+)` \| \S/gm)].map(([, name]) => name)).toEqual(names.sort().reverse());
});

describe('docs/requirements.md', () => {
  /** They say what the product is made of; the page names what shows it instead. */
  const SHOWN_OTHERWISE = ['S-2', 'S-3'];
  const defined = [...readFileSync(join(ROOT, 'docs/requirements.md'), 'utf8').matchAll(/^\| ([A-Z]-\d+) \|/gm)].map(
    ([, id = '']) => id,
  );
  const named = new Set([...TESTS.matchAll(/\[([A-Z]-\d+)\]/g)].map(([, id = '']) => id));

  test('defines each id that a test title begins with', () => {
    expect([...named].filter((id) => !defined.includes(id))).toEqual([]);
  });

  test('defines no id twice, and none that no test names', () => {
    expect(new Set(defined).size).toBe(defined.length);
    expect(defined.filter((id) => !named.has(id) && !SHOWN_OTHERWISE.includes(id))).toEqual([]);
  });
});

test('every consequence for both calendar providers has its row', () => {
  const numbers = readRows('docs/consequences.md').map(({ name }) => Number(name.split(' ')[0]));
  const all = Array.from({ length: 22 }, (_, index) => index + 1);
  expect(numbers).toEqual([...all, ...all]);
});
