/** `npm test [jest arguments]`: types, chaos, then every test on real PostgreSQL and real Redis. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';
import { bringChromium, bringPgBouncer, bringPrometheusTools, bringRedis } from './bring-tools.ts';
import { program, run } from './commands.ts';

const tsc = program('typescript/bin/tsc');
const types =
  (await run(process.execPath, [tsc, '-b'])) || (await run(process.execPath, [tsc, '-p', 'tsconfig.test.json']));
if (types !== 0) {
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(types);
}
const hasRedis = bringRedis();
const missing = [
  ...(hasRedis ? [] : ['redis-server']),
  ...(bringPgBouncer() ? [] : ['pgbouncer']),
  // Large, and needed by few: a person who has them not is told so, a machine that decides fetches them.
  ...(process.env.CI && !bringChromium() ? ['chromium'] : []),
  ...(process.env.CI && bringPrometheusTools() === null ? ['prometheus'] : []),
];
if (missing.length > 0) {
  process.stderr.write(
    `missing, and could not be brought: ${missing.join(', ')}; the tests that need it are left out\n`,
  );
  if (process.env.CI) {
    process.stdout.write(`\n0 passed, ${missing.length} failed\n`);
    process.exit(1);
  }
}
const flags = ['--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning'];
const env = { ...process.env };
if (process.argv.length === 2 && hasRedis) env.CALSYNC_CHAOS_REPORTS = await playChaos();
const jest = [...flags, '--experimental-vm-modules', program('jest/bin/jest.js'), ...process.argv.slice(2)];
process.exit(await run(process.execPath, jest, env));

/** A fleet under chaos wants the machine to itself, so it plays first; packages/chaos/test judges what it reports. */
async function playChaos(): Promise<string> {
  const reports = join(ROOT, '.bookiji', 'chaos');
  rmSync(reports, { recursive: true, force: true });
  const play = [...flags, '--import=./scripts/quick-imports.mjs', 'packages/chaos/src/main.ts', '--out', reports];
  await run(process.execPath, play);
  return reports;
}
