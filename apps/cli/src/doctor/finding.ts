import { innermost } from '../innermost.ts';

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
  const { code, name, message } = innermost(error);
  return code ?? (name === 'Error' ? (message.split('\n')[0] ?? name) : name);
}
