import type { Database } from './client.ts';

/**
 * A statement that runs for every single booking or change. Its text is built once per handle instead of once per use,
 * and where the sessions are our own (`prepareStatements`) each session parses and plans it once.
 *
 * @param build ends in `.prepare(name)`; what changes from use to use are `sql.placeholder`s. Dates go in as ISO text.
 */
export function hotStatement<S>(build: (db: Database) => S): (db: Database) => S {
  const built = new WeakMap<Database, S>();
  return (db) => {
    const known = built.get(db);
    if (known !== undefined) return known;
    const fresh = build(db);
    built.set(db, fresh);
    return fresh;
  };
}
