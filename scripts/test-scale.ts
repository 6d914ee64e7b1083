/** `npm run test:scale [jest arguments]`: the tests that take many processes and minutes; everything they need is brought. */
import { bringPgBouncer, bringRedis } from './bring-tools.ts';
import { program, run } from './commands.ts';

if (!bringRedis() || !bringPgBouncer()) {
  process.stderr.write('redis-server and pgbouncer are needed and could not be brought\n');
  process.stdout.write('\n0 passed, 1 failed\n');
  process.exit(1);
}
const flags = ['--experimental-vm-modules', '--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning'];
const config = ['--config', 'jest.scale.config.mjs'];
process.exit(await run(process.execPath, [...flags, program('jest/bin/jest.js'), ...config, ...process.argv.slice(2)]));
