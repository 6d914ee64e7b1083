/** A page with one sentence; both texts are ours, never a request's. */
export function renderPage(title: string, sentence: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{color-scheme:light dark}body{font:17px/1.5 system-ui,sans-serif;max-width:26rem;margin:18vh auto;padding:0 1.5rem}</style>
</head><body><h1>${title}</h1><p>${sentence}</p></body></html>`;
}
