/**
 * Keeps what is shown fresh: every few seconds the page is fetched again and its live parts are put in place of the old
 * ones. A part in which somebody is typing, or reading an opened list, is left alone. Without this script the page is
 * simply as old as its loading.
 */
const PAUSE_MS = 2000;

addEventListener('DOMContentLoaded', () => {
  if (document.querySelector('[data-live]') !== null) setTimeout(() => void refresh(), PAUSE_MS);
});

async function refresh() {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } });
      // Logged out meanwhile: the login page has none of the parts.
      // Disconnected meanwhile: the page says so by itself.
      if (answer.redirected || answer.status === 404) return location.reload();
      if (answer.ok) replaceParts(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    } catch {
      // The next round asks again.
    }
  }
  setTimeout(() => void refresh(), PAUSE_MS);
}

function replaceParts(fresh) {
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id);
    const isInUse = part.contains(document.activeElement) || part.querySelector('details[open]') !== null;
    if (next === null || isInUse || next.isEqualNode(part)) continue;
    part.replaceWith(document.adoptNode(next));
  }
}
