/**
 * `run-schedules.ts <google|microsoft> <first seed> <how many>`: plays these schedules and says the tally as JSON. A
 * process of its own, since a hundred thousand schedules take a quarter longer inside a test runner's own globals.
 */
import { registerHooks } from 'node:module';
import { refuseOtherStatements } from './refuse-other-statements.ts';
import { type CalendarProvider, defencesOf, runSeeds } from './schedules.ts';
import { importDatabase, importStories } from './whole-packages.ts';

const STATEMENTS = 'simulation:statements';
const KEY = '__simulationStatements';
const statements = refuseOtherStatements(await importDatabase());
Object.assign(globalThis, { [KEY]: statements });
const source = Object.keys(statements)
  .map((name) => `export const ${name} = globalThis.${KEY}.${name};`)
  .join('\n');

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isStory = context.parentURL?.includes('/packages/sync/') ?? false;
    if (specifier !== '@bookiji/db' || !isStory) return nextResolve(specifier, context);
    return { url: STATEMENTS, format: 'module', shortCircuit: true };
  },
  load(url, context, nextLoad) {
    return url === STATEMENTS ? { format: 'module', source, shortCircuit: true } : nextLoad(url, context);
  },
});

const [calendarProvider, fromSeed, count] = process.argv.slice(2);
const stories = await importStories();
const tally = await runSeeds({
  stories,
  defences: defencesOf(calendarProvider as CalendarProvider),
  fromSeed: Number(fromSeed),
  count: Number(count),
});
process.stdout.write(JSON.stringify({ ...tally, struck: [...tally.struck] }));
