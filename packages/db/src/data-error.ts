/** What PostgreSQL, or the line to it, says went wrong: whether the same statement can succeed another time. */

/** A row that another one refers to has just gone, or has not come yet: whoever asks again sees it as it is. */
const FOREIGN_KEY_VIOLATION = '23503';
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** Of the driver (`CONNECTION_CLOSED`, `CONNECT_TIMEOUT`) and of the system (`ECONNRESET`, `EAI_AGAIN`). */
const LINE_CODE = /^(CONNECT[A-Z_]*|E(?!RR_)[A-Z_]+)$/;

/**
 * Whether PostgreSQL refused the data itself (SQLSTATE classes 22 and 23): the same statement will be refused forever, so
 * trying again is no cure. Anything else, a database that is away above all, is worth another try.
 */
export function isDataError(error: unknown): boolean {
  const code = databaseCode(error);
  return code !== null && /^2[23][0-9A-Z]{3}$/.test(code) && code !== FOREIGN_KEY_VIOLATION;
}

/** Whether the database failed, or the line to it, rather than what was asked of it. */
export function isDatabaseFailure(error: unknown): boolean {
  return databaseCode(error) !== null && !isDataError(error);
}

/** The SQLSTATE, or the code of the line's failure; null for an error that is not the database's. */
export function databaseCode(error: unknown): string | null {
  for (let layer: unknown = error, depth = 0; layer instanceof Error && depth < 5; layer = layer.cause, depth += 1) {
    const { code } = layer as { code?: unknown };
    if (typeof code === 'string' && (SQLSTATE.test(code) || LINE_CODE.test(code))) return code;
  }
  return null;
}
