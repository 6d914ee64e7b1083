/** Whether there is anything to read by name: of what came from outside only `unknown` is known. Pure. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
