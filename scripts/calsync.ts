/** `npm run calsync -- <command>`: the operator's command; what it is, apps/cli says. */
import { bringRedis } from './bring-tools.ts';

// A fleet of the drills' own is drilled on Redis, as production is; without one its queues live in PostgreSQL.
const args = process.argv.slice(2);
const isOwnFleet = args.includes('drill') && !args.some((arg) => /^--(target|list|help)\b/.test(arg));
if (isOwnFleet) bringRedis();
await import('../apps/cli/src/main.ts');
