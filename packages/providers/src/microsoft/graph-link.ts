/**
 * Checks a next or delta link before it is followed. Links are whole addresses that travel through our database and are
 * sent with the account's token, so one that leads anywhere but the configured Graph must never be followed. Pure.
 *
 * @param graphBaseUrl without `/v1.0` and without a slash at its end.
 * @returns the address to ask, or null when the link is foreign.
 */
export function ownLink(link: string, graphBaseUrl: string): string | null {
  if (!URL.canParse(link)) return null;
  const url = new URL(link);
  const base = new URL(`${graphBaseUrl}/v1.0/`);
  const isOwn =
    url.origin === base.origin && url.pathname.startsWith(base.pathname) && url.username === '' && url.password === '';
  return isOwn ? url.href : null;
}
