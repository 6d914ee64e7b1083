/** What the doctor found. `warn` works today and will not for ever; `fail` does not work. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it; none when all is well. */
  readonly mend: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found, mend: null };
}

export function warn(check: string, found: string, mend: string): Finding {
  return { check, status: 'warn', found, mend };
}

export function fail(check: string, found: string, mend: string): Finding {
  return { check, status: 'fail', found, mend };
}

/** The short name of what went wrong, without addresses or values. */
export function nameFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : error.name === 'Error' ? (error.message.split('\n')[0] ?? '') : error.name;
}
