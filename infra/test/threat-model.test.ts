/** The threat model names every secret there is, and points at what exists. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fields } from '@bookiji/runtime';
import { expect, test } from '@jest/globals';
import { ROOT, readText } from './read-files.ts';

const model = readText('docs/threat-model.md');

test('[W-2] [A-1] every secret of the settings has a line that says what it opens', () => {
  const secrets = Object.keys(fields).filter((name) => /(SECRETS?|TOKENS|KEYS)$/.test(name));
  expect(secrets.length).toBeGreaterThan(7);
  // One line tells of both calendar providers' secrets.
  const isNamed = (name: string) =>
    model.includes(`\`${name}\``) || model.includes(`\`${name.replace(/^[A-Z]+/, '*')}\``);
  expect(secrets.filter((name) => !isNamed(name))).toEqual([]);
});

test('[W-2] Prometheus holds a token that only looks', () => {
  const holders = (secret: string) => new RegExp(`^\\| \`${secret}\` \\| ([^|]+) \\|`, 'm').exec(model)?.[1];
  expect(holders('OPS_READ_ONLY_TOKENS')).toContain('Prometheus');
  expect(holders('OPS_TOKENS')).not.toContain('Prometheus');
});

test('what the threat model points at is there', () => {
  const paths = [...model.matchAll(/`((?:apps|docs|infra|packages|scripts)\/[\w./-]+)`/g)].map(([, path = '']) => path);
  const links = [...model.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => `docs/${path}`);
  expect(paths.length).toBeGreaterThan(7);
  expect([...paths, ...links].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
