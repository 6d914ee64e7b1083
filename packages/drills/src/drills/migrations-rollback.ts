import { openDatabase } from '@bookiji/db';
import { migrateDown, migrateUp, migrationStatus, verifyMigrations } from '@bookiji/db/migrate';
import type { Drill } from '../drill.ts';
import { fillTables, findLost, readTables } from '../scene/fill-tables.ts';
import type { Scene } from '../scene/scene.ts';

export const migrationsRollback: Drill = {
  name: 'migrations-rollback',
  title: 'Every migration goes down and up again on a database with rows, and keeps what its schema can keep',
  proves: ['M-1'],
  needs: ['owned'],
  phase: 'calm',
  async run(scene) {
    const { url, drop } = await scene.owned.createDatabase();
    scene.cleanUp('the database of the drill', drop);
    const applied = await migrateUp(url);
    scene.notes.did('applied every migration to an empty database', { migrations: applied.length });
    await goDownAndUp(scene, url, applied.length);
    await goPartWay(scene, url, applied.length);
  },
};

/** One migration after the other down to nothing, then all up at once. */
async function goDownAndUp(scene: Scene, url: string, count: number): Promise<void> {
  const { notes } = scene;
  await withRows(url, async (read) => {
    const full = await read();
    const empty = [...full].filter(([, rows]) => rows.length === 0).map(([name]) => name);
    notes.saw('[M-1] every table has rows', empty, []);
    let before = full;
    let violations = 0;
    const lost: string[] = [];
    for (let step = 0; step < count; step += 1) {
      const [name] = await migrateDown(url, 1);
      const after = await read();
      lost.push(...findLost(before, after).map((table) => `${table} by ${name}`));
      violations += await countViolations(url);
      before = after;
    }
    notes.did('rolled back one migration after the other', { migrations: count });
    notes.saw('[M-1] going down, no table lost what its schema could keep', lost, []);
    notes.saw('[M-1] going down, the verification queries found nothing', violations, 0);
    notes.saw('[M-1] at the bottom no table is left', [...(await read()).keys()], []);
  });
  const again = await migrateUp(url);
  notes.saw('[M-1] all of them go up again', again.length, count);
  notes.saw('[M-1] and the verification queries find nothing', await countViolations(url), 0);
}

/** From every depth up again: what was not rolled back is untouched. */
async function goPartWay(scene: Scene, url: string, count: number): Promise<void> {
  await withRows(url, async (read) => {
    const lost: string[] = [];
    let violations = 0;
    for (let depth = 1; depth < count; depth += 1) {
      await migrateDown(url, depth);
      const below = await read();
      await migrateUp(url);
      lost.push(...findLost(below, await read()).map((table) => `${table} from ${depth} down`));
      violations += await countViolations(url);
    }
    const { pending } = await migrationStatus(url);
    scene.notes.did('rolled back to every depth and went up again from there', { depths: count - 1 });
    scene.notes.saw('[M-1] going up, no table lost a row', lost, []);
    scene.notes.saw('[M-1] going up, the verification queries found nothing', violations, 0);
    scene.notes.saw('[M-1] in the end the schema is current', pending, []);
  });
}

/** Rows in every table, and a hand to read them with that is not held open across migrations. */
async function withRows(
  url: string,
  work: (read: () => ReturnType<typeof readTables>) => Promise<void>,
): Promise<void> {
  const open = async <T>(use: (sql: Parameters<typeof readTables>[0]) => Promise<T>) => {
    const handle = openDatabase(url, { applicationName: 'drill', max: 1 });
    try {
      return await use(handle.sql);
    } finally {
      await handle.close();
    }
  };
  await open(fillTables);
  await work(() => open(readTables));
}

async function countViolations(url: string): Promise<number> {
  return (await verifyMigrations(url)).reduce((sum, { violations }) => sum + violations, 0);
}
