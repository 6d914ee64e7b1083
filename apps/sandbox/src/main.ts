/** The sandbox as a process of its own. */
import { runProcess } from '@bookiji/runtime';
import { readConfig } from './config.ts';
import { createSandbox } from './sandbox.ts';

await runProcess({
  role: 'sandbox',
  async start({ own }) {
    const { port, host } = readConfig(process.env);
    const sandbox = createSandbox();
    const { url } = await sandbox.listen(port, host);
    own({ name: 'sandbox', stop: () => sandbox.close() });
    process.stdout.write(`sandbox: listening on ${url}\n`);
  },
});
