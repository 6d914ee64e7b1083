import { migrationStatus, verifyMigrations } from '@bookiji/db/migrate';
import type { Drill } from '../drill.ts';

export const migrationsVerified: Drill = {
  name: 'migrations-verified',
  title: 'After everything that was done to it, the database keeps every rule of its migrations',
  proves: ['M-1'],
  needs: ['owned'],
  phase: 'last',
  async run(scene) {
    const { url } = scene.owned.databaseServer;
    const { applied, pending, unknown } = await migrationStatus(url);
    scene.notes.saw('[M-1] the schema is current', { pending, unknown }, { pending: [], unknown: [] });
    const checks = await verifyMigrations(url);
    scene.notes.did('ran the verification queries', { migrations: applied.length, checks: checks.length });
    const unverified = applied.filter((name) => !checks.some(({ migration }) => migration === name));
    scene.notes.saw('[M-1] every migration has verification queries', unverified, []);
    const violated = checks.filter(({ violations }) => violations > 0);
    scene.notes.saw('[M-1] they find no violation', violated, []);
  },
};
