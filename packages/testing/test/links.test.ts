/** Every link from one page of this repository to another leads to a file, and to a heading where it names one. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGES = globSync(['*.md', 'docs/**/*.md', '{apps,packages}/*/*.md', 'packages/db/patches/*.md'], { cwd: ROOT });

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

test('there are pages, README among them', () => {
  expect(PAGES).toContain('README.md');
  expect(PAGES.length).toBeGreaterThan(60);
});

test.each(PAGES)('%s links to what is there', (page) => {
  expect(findBroken(page)).toEqual([]);
});
