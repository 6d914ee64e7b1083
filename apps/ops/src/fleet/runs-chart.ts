import type { RunMinute } from '@bookiji/db';
import { type Html, html } from '../html/html.ts';

const WIDTH = 720;
const HEIGHT = 190;

/** Syncs per minute as bars, failed ones on top, the newest at the right. */
export function drawRuns(runs: readonly RunMinute[], minutes: number): Html {
  const most = Math.max(1, ...runs.map(({ done, failed }) => done + failed));
  const step = WIDTH / minutes;
  const height = (count: number) => (count / most) * (HEIGHT - 18);
  const bars = runs.map(({ minutesAgo, done, failed }) => {
    const x = WIDTH - (minutesAgo + 1) * step + 1;
    const bar = (kind: string, y: number, count: number) =>
      count > 0 &&
      html`<rect class="${kind}" x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${Math.max(2, height(count)).toFixed(1)}" rx="1.5"/>`;
    const base = HEIGHT - 1;
    return html`<g><title>${minutesAgo === 0 ? 'this minute' : `${minutesAgo} min ago`}: ${done} done, ${failed} failed</title>
      ${bar('done', base - height(done), done)}${bar('failed', base - height(done) - Math.max(2, height(failed)), failed)}</g>`;
  });
  const done = runs.reduce((sum, one) => sum + one.done, 0);
  const failed = runs.reduce((sum, one) => sum + one.failed, 0);
  return html`<figure class="chart"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Syncs per minute over the last ${minutes} minutes: ${done} done, ${failed} failed">
    <line x1="0" x2="${WIDTH}" y1="${HEIGHT - 0.5}" y2="${HEIGHT - 0.5}"/><text x="0" y="11">${most} / min</text>${bars}</svg>
    <figcaption><span class="key done">${done} done</span> <span class="key failed">${failed} failed</span> <span class="soft">in the last hour</span></figcaption></figure>`;
}
