/** What is at the bottom of a failure: drivers wrap what the system said, statement and all. */
export interface Innermost {
  readonly name: string;
  /** The system's or the database's own word; null without one. */
  readonly code: string | null;
  readonly message: string;
}

export function innermost(error: unknown): Innermost {
  const { cause } = (error ?? {}) as { cause?: unknown };
  if (cause !== undefined && cause !== null) return innermost(cause);
  const { name, code, message } = (error ?? {}) as { name?: unknown; code?: unknown; message?: unknown };
  return {
    name: typeof name === 'string' ? name : 'Error',
    code: typeof code === 'string' ? code : null,
    message: typeof message === 'string' ? message : 'failed for an unknown reason',
  };
}
