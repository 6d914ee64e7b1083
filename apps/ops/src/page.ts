/** The frame of every page: one sheet of style, no script, nothing from elsewhere. */
export function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(title)} · Calendar Sync</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${STYLE}</style></head><body>${body}</body></html>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark;--line:#8883;--soft:#8881;--good:#2a8c4a;--bad:#c43d3d;--accent:#3565d0}
body{font:15px/1.5 system-ui,sans-serif;margin:0;padding:0 1.5rem 3rem;max-width:76rem;margin-inline:auto}
header{display:flex;gap:1.5rem;align-items:baseline;padding:1rem 0;border-bottom:1px solid var(--line)}
header strong{font-size:1.1rem}nav{display:flex;gap:1rem;flex:1}a{color:var(--accent)}
h2{font-size:1rem;margin:2rem 0 .6rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;font-size:.85rem;opacity:.75}td.number{font-variant-numeric:tabular-nums}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.8rem;margin-top:1.2rem}
.card{background:var(--soft);border-radius:.6rem;padding:.7rem .9rem}.card b{display:block;font-size:1.5rem}
.good{color:var(--good)}.bad{color:var(--bad)}.narrow{max-width:22rem;margin:12vh auto}
input,button{font:inherit;padding:.45rem .7rem;border-radius:.4rem;border:1px solid var(--line);width:100%;box-sizing:border-box;margin:.3rem 0}
button{background:var(--accent);color:#fff;border:0;cursor:pointer}form.inline{display:inline}form.inline button{width:auto}
code{font-size:.85em}`;
