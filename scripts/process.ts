/** `npm run start:<role>`: one process alone, in this very process, from the environment. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkPorts, environmentOf, prepareDatabase, publicBaseUrlOf, ROOT, type Role } from '@bookiji/local-fleet';

// One of these: `run.mjs` lets no other through.
const role = process.argv[2] as Role;
try {
  await checkPorts(process.env, [role]);
  if (role !== 'sandbox') {
    const database = await prepareDatabase(process.env);
    const environment = environmentOf(role, { ...process.env, ...database.doors, DATABASE_URL: database.url });
    process.env.DATABASE_URL = environment.DATABASE_URL;
    process.env.PUBLIC_BASE_URL = publicBaseUrlOf(process.env);
    // Ours only if we started it; it outlives nobody who uses it.
    if (database.embedded !== null && !database.embedded.adopted)
      process.on('exit', () => void database.embedded?.stop());
  }
  await import(pathToFileURL(join(ROOT, 'apps', role, 'src', 'main.ts')).href);
} catch (error) {
  process.stderr.write(`${role}: ${error instanceof Error ? error.message.split('\n')[0] : 'failed'}\n`);
  process.exit(1);
}
