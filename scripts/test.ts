/** `npm test [jest arguments]`: types, then every test on real PostgreSQL and real Redis. */
import { bringRedis } from './bring-tools.ts';
import { program, run } from './commands.ts';

const tsc = program('typescript/bin/tsc');
const types =
  (await run(process.execPath, [tsc, '-b'])) || (await run(process.execPath, [tsc, '-p', 'tsconfig.test.json']));
if (types !== 0) {
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(types);
}
if (!bringRedis()) {
  if (process.env.CI) {
    process.stderr.write('redis-server is missing and could not be installed\n');
    process.stdout.write('\n0 passed, 1 failed\n');
    process.exit(1);
  }
  process.stderr.write('redis-server is missing: the tests that need it are left out\n');
}
const flags = ['--experimental-vm-modules', '--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning'];
process.exit(await run(process.execPath, [...flags, program('jest/bin/jest.js'), ...process.argv.slice(2)]));
