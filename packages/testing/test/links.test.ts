/**
 * Every link from one page of this repository to another leads to a file, and to a heading where it names one. A page or a
 * decision that a comment or a message names is there as well.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', '{apps,packages}/*/*.md', 'packages/db/patches/*.md'], { cwd: ROOT });
const SOURCES = globSync(
  ['*.{mjs,json,jsonc,yaml,yml}', '{apps,infra,migrations,packages,scripts}/**/*.{ts,js,mjs,json,sql,yml}'],
  { cwd: ROOT, exclude: (name) => name === 'node_modules' || name === 'dist' },
);

/** As a forge names the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .trim()
    .replaceAll(' ', '-');
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

function findBroken(page: string): string[] {
  const text = read(page).replaceAll(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : normalize(join(dirname(page), path));
    if (!existsSync(join(ROOT, target))) return true;
    if (anchor === undefined) return false;
    return ![...read(target).matchAll(/^#+ (.+)$/gm)].some(([, heading = '']) => anchorOf(heading) === anchor);
  });
}
/**
 * Named from the root, or from the folder of the app or package that the source belongs to. What stands alone between
 * quotation marks is part of a path: whoever reads it fails without it.
 */
function findUnknown(source: string): string[] {
  const text = read(source);
  const home = /^(?:apps|packages)\/[^/]+/.exec(source)?.[0] ?? '';
  const pages = [...text.matchAll(/(?<![\w./'-])[\w-][\w./-]*\.md\b/g)]
    .map(([page]) => page)
    .filter((page) => ![page, join(home, page)].some((path) => existsSync(join(ROOT, path))));
  const decisions = [...text.matchAll(/\bdecisions?[ /]\d{4}\b/g)]
    .map(([decision]) => decision)
    .filter((decision) => !PAGES.some((page) => page.startsWith(`docs/decisions/${decision.slice(-4)}-`)));
  return [...pages, ...decisions].map((name) => `${source}: ${name}`);
}

test('there are pages, README among them', () => {
  expect(PAGES).toContain('README.md');
  expect(PAGES.length).toBeGreaterThan(60);
});

test.each(PAGES)('%s links to what is there', (page) => {
  expect(findBroken(page)).toEqual([]);
});

test('there are sources, migrations among them, and none names a page that is not there', () => {
  expect(SOURCES).toContain('migrations/0001_foundations.sql');
  expect(SOURCES.length).toBeGreaterThan(800);
  expect(SOURCES.flatMap(findUnknown)).toEqual([]);
});
