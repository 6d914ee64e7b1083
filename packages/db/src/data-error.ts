/** What PostgreSQL, or the line to it, says went wrong: whether the same statement can succeed another time. */

/**
 * - `data`: it refuses what was asked to be stored, and will do so forever.
 * - `away`: it cannot be reached, or has no room, no time or no lock for it now; another try may find it otherwise.
 * - `other`: a statement that is wrong in itself, or no error of the database at all.
 */
export type FailureKind = 'data' | 'away' | 'other';

const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Of the driver (`CONNECTION_CLOSED`, `CONNECT_TIMEOUT`) and of the system (`ECONNRESET`, `EAI_AGAIN`). */
const LINE_CODE = /^(CONNECT[A-Z_]*|E(?!RR_)[A-Z_]+)$/;

/** The first that fits. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const KINDS: readonly (readonly [codes: RegExp, kind: FailureKind])[] = [
  // A row that another one refers to has just gone, or has not come yet: whoever asks again sees it as it is.
  [/^23503$/, 'away'],
  // Values, rules, and what is larger than any server takes.
  [/^(22|23|54)/, 'data'],
  // The connection, a rollback for somebody else's sake, room, locks, an operator or a time limit, the machine.
  [/^(08|40|53|55|57|58)/, 'away'],
  // After a failover the old server takes no writes.
  [/^25006$/, 'away'],
  [LINE_CODE, 'away'],
];

export function classifyFailure(error: unknown): FailureKind {
  const code = databaseCode(error);
  if (code === null) return 'other';
  return KINDS.find(([codes]) => codes.test(code))?.[1] ?? 'other';
}

/** Trying again is no cure. Anything else, a database that is away above all, is worth another try. */
export function isDataError(error: unknown): boolean {
  return classifyFailure(error) === 'data';
}

/** Whether the database failed, or the line to it, rather than what was asked of it. */
export function isDatabaseFailure(error: unknown): boolean {
  return databaseCode(error) !== null && !isDataError(error);
}

/** The SQLSTATE, or the code of the line's failure; null for an error that is not the database's. */
export function databaseCode(error: unknown): string | null {
  // Not by class: what Node throws in a realm of its own, as under a test runner, is no `Error` of ours.
  for (let layer = error, depth = 0; typeof layer === 'object' && layer !== null && depth < 5; depth += 1) {
    const { code, cause } = layer as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && (SQLSTATE.test(code) || LINE_CODE.test(code))) return code;
    layer = cause;
  }
  return null;
}
