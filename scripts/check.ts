/** `npm run check`: formatting, lint, types, import boundaries, dead exports, migrations that were edited afterwards, dependencies. */
import { join } from 'node:path';
import { STATE_DIR } from '@bookiji/local-fleet';
import { checkDependencies } from './check-dependencies.ts';
import { checkMigrationHashes } from './check-migrations.ts';
import { program, run } from './commands.ts';

const node = process.execPath;
const steps: readonly [string, () => Promise<number> | number][] = [
  ['format and lint', () => run(program('.bin/biome'), ['ci', '--colors=off', '--diagnostic-level=warn', '.'])],
  ['promises', () => run(program('.bin/oxlint'), ['--type-aware', '--quiet', 'apps', 'packages', 'scripts'])],
  [
    'types',
    async () =>
      (await run(node, [program('typescript/bin/tsc'), '-b'])) ||
      run(node, [program('typescript/bin/tsc'), '-p', 'tsconfig.test.json']),
  ],
  ['boundaries', () => run(program('.bin/depcruise'), ['--config', '.dependency-cruiser.mjs', 'apps', 'packages'])],
  ['dead exports', () => run(program('.bin/knip'), ['--no-progress'])],
  ['migrations', () => checkMigrationHashes()],
  ['dependencies', () => checkDependencies(join(STATE_DIR, 'sbom.cdx.json'))],
];

let failed = 0;
for (const [name, step] of steps) {
  const startedAt = performance.now();
  const code = await step();
  if (code !== 0) failed += 1;
  process.stdout.write(
    `${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)\n`,
  );
}
process.exit(failed === 0 ? 0 : 1);
