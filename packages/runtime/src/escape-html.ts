/** Text as it may stand in HTML, between tags and in quoted attributes alike. Pure. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
