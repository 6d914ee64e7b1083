import { runCalsync } from './run-calsync.ts';

const { env: environment, stdout, stderr } = process;
process.exitCode = await runCalsync(process.argv.slice(2), { environment, stdout, stderr, now: () => new Date() });
