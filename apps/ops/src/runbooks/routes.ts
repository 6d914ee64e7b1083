/** The runbooks of `docs/runbooks`, one click from what they are about. */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Router } from 'express';
import { marked } from 'marked';
import { operatorOf } from '../access/session.ts';
import { sendError } from '../errors.ts';
import { Html, html } from '../html/html.ts';
import { page } from '../html/layout.ts';

const FOLDER = fileURLToPath(new URL('../../../../docs/runbooks/', import.meta.url));

export function createRunbookPages(): Router {
  const names = new Set(readdirSync(FOLDER).flatMap((file) => (file.endsWith('.md') ? [file.slice(0, -3)] : [])));
  const router = Router();
  router.get(['/', '/:name'], async (request, response) => {
    const name = String(request.params.name ?? 'README');
    // Only a name from the list becomes a path.
    if (!names.has(name)) return sendError(response, 404, 'unknown_runbook', 'there is no such runbook');
    const markdown = await readFile(`${FOLDER}${name}.md`, 'utf8');
    const title = /^# (.+)$/m.exec(markdown)?.[1] ?? name;
    response
      .type('html')
      .send(
        page(
          { title, place: 'runbooks', operator: operatorOf(response) },
          html`${name !== 'README' && html`<p class="crumbs"><a href="/runbooks">Runbooks</a></p>`}<article class="panel prose">${await render(markdown)}</article>`,
        ),
      );
  });
  return router;
}

/** Our own files, so their markup is trusted. Links between them lead to pages here; other documents have none, so their
 * names stand alone. */
async function render(markdown: string): Promise<Html> {
  const text = await marked.parse(markdown, { gfm: true });
  // A command may be wider than the page: who has no mouse scrolls it as well.
  const reachable = text.replaceAll('<pre>', '<pre tabindex="0">');
  const here = reachable.replaceAll(/href="([a-z0-9-]+)\.md"/g, 'href="/runbooks/$1"');
  return new Html(here.replaceAll(/<a href="\.\.\/([^"]+)">(.*?)<\/a>/g, '$2 (<code>docs/$1</code>)'));
}
