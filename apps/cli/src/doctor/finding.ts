import { innermost } from '../innermost.ts';

/** What the doctor found. `warn` works today but will not for long; `fail` does not work. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it; none when all is well. */
  readonly fix: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found, fix: null };
}

export function warn(check: string, found: string, fix: string): Finding {
  return { check, status: 'warn', found, fix };
}

export function fail(check: string, found: string, fix: string): Finding {
  return { check, status: 'fail', found, fix };
}

/** The short name of what went wrong, without addresses or values. */
export function nameFailure(error: unknown): string {
  const { code, name, message } = innermost(error);
  return code ?? (name === 'Error' ? (message.split('\n')[0] ?? name) : name);
}
