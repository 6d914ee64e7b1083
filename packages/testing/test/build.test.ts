/** `npm run build`: turbo compiles the packages, each after those it uses, and remembers what it compiled. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface DryRun {
  readonly globalCacheInputs: { readonly files: Readonly<Record<string, string>> };
  readonly tasks: readonly { readonly directory: string; readonly command: string; readonly dependencies: string[] }[];
}

test('[S-1] every package is compiled after those it uses, and all of them again when the common settings change', () => {
  const { stdout } = spawnSync(process.execPath, ['scripts/run.mjs', 'build', '--dry=json'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const { globalCacheInputs, tasks } = JSON.parse(stdout) as DryRun;
  const packages = globSync('{apps,packages}/*/package.json', { cwd: ROOT }).map(
    (file) => file.split('/package.json')[0],
  );
  expect(tasks.map(({ directory }) => directory).sort()).toEqual(packages.sort());
  expect(new Set(tasks.map(({ command }) => command))).toEqual(new Set(['tsc -b']));
  const ingress = tasks.find(({ directory }) => directory === 'apps/ingress');
  expect(ingress?.dependencies).toContain('@bookiji/db#build');
  expect(Object.keys(globalCacheInputs.files)).toContain('tsconfig.base.json');
});
