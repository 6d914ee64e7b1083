/**
 * Whether PostgreSQL refused the data itself (SQLSTATE classes 22 and 23): the same statement will be refused for ever, so
 * trying again is no cure. Anything else, a database that is away above all, is worth another try.
 */
export function isDataError(error: unknown): boolean {
  for (let layer: unknown = error, depth = 0; layer instanceof Error && depth < 5; layer = layer.cause, depth += 1) {
    const { code } = layer as { code?: unknown };
    if (typeof code === 'string' && /^2[23][0-9A-Z]{3}$/.test(code)) return true;
  }
  return false;
}
