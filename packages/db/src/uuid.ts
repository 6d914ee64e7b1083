const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Whether a column of ids would take this text: a UUID in either case, and of whatever version, since ids come from others
 * too. Pure.
 */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
