/** `npm test [jest arguments]`: types, then every test on real PostgreSQL and real Redis. */
import { bringChromium, bringPgBouncer, bringPrometheusTools, bringRedis } from './bring-tools.ts';
import { program, run } from './commands.ts';

const tsc = program('typescript/bin/tsc');
const types =
  (await run(process.execPath, [tsc, '-b'])) || (await run(process.execPath, [tsc, '-p', 'tsconfig.test.json']));
if (types !== 0) {
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(types);
}
const missing = [
  ...(bringRedis() ? [] : ['redis-server']),
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
const flags = ['--experimental-vm-modules', '--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning'];
process.exit(await run(process.execPath, [...flags, program('jest/bin/jest.js'), ...process.argv.slice(2)]));
