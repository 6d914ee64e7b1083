import { type Html, html } from './html.ts';

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`: the largest unit that fits, for people who glance. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return seconds < 0.01 ? '0 s' : `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)} s`;
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.round(seconds / size)} ${unit}`;
}

/** `12 s ago`, `in 5 min`; the instant itself is in the attribute and in the title. */
export function ago(at: Date | null, now: Date, never = 'never'): Html {
  if (at === null) return html`<span class="soft">${never}</span>`;
  const seconds = (now.getTime() - at.getTime()) / 1000;
  const text = seconds >= 0 ? `${formatSeconds(Math.round(seconds))} ago` : `in ${formatSeconds(Math.round(-seconds))}`;
  return html`<time datetime="${at.toISOString()}" title="${at.toISOString()}">${text}</time>`;
}

/** `Tue 24 Nov` in UTC. */
export function formatDay(at: Date): string {
  return at.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
}

/** `Tue 24 Nov, 09:00` in UTC. */
export function formatUtc(at: Date): string {
  return `${formatDay(at)}, ${at.toISOString().slice(11, 16)}`;
}
