/**
 * Whether a change comes from our own pages, or from no page at all (a command line sends neither header). A browser on
 * somebody else's page says so in `Sec-Fetch-Site` or `Origin`, whatever credentials it was tricked into sending.
 */
export function isSameOrigin(headers: {
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly fetchSite?: string | undefined;
}): boolean {
  if (headers.fetchSite !== undefined && !['same-origin', 'none'].includes(headers.fetchSite)) return false;
  if (headers.origin === undefined) return true;
  return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
}
