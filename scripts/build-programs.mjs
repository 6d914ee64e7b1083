/**
 * Makes the processes of a local fleet into programs of few files, in `.bookiji/programs`, unless they are there: a
 * process then starts in half the time. Says the folder on stdout. Lines of stack traces stay those of the sources.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { findPrograms, PROGRAMS, stateOf } from './programs.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HOME = join(ROOT, '.bookiji', PROGRAMS);
/** A fleet that still runs finds its programs again when a process of it dies. */
const BUILDS_KEPT = 4;

const entries = globSync('apps/{ingress,*-worker,ops,sandbox}/src/main.ts', { cwd: ROOT }).map((path) => ({
  in: join(ROOT, path),
  out: path.split('/')[1],
}));
const found = findPrograms(ROOT);
process.stdout.write(`${found ?? (await make())}\n`);

async function make() {
  const inputs = {};
  for (const path of [
    ...globSync('{apps,packages}/*/package.json', { cwd: ROOT }),
    'package.json',
    'node_modules/.modules.yaml',
    'scripts/build-programs.mjs',
  ])
    inputs[path] = stateOf(join(ROOT, path));
  const fresh = join(HOME, `fresh-${process.pid}`);
  await build({
    entryPoints: [...entries, { in: join(ROOT, 'scripts', 'start.ts'), out: 'start' }],
    inject: [join(ROOT, 'scripts', 'program-preamble.mjs')],
    outdir: fresh,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@bookiji/source'],
    tsconfigRaw: '{}',
    minifyWhitespace: true,
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'error',
    banner: { js: `import{createRequire as $r}from'node:module';const require=$r(import.meta.url);` },
    plugins: [{ name: 'places', setup: (plugin) => plugin.onLoad({ filter: /\.(ts|[cm]?js|json)$/ }, load(inputs)) }],
  });
  return keep(fresh, inputs);
}

/** Notes what was read, and lets every file go on knowing where it lay. */
function load(inputs) {
  return ({ path }) => {
    inputs[relative(ROOT, path)] = stateOf(path);
    const text = readFileSync(path, 'utf8');
    if (path.endsWith('.json')) return { contents: text, loader: 'json' };
    const contents = text
      .replaceAll('import.meta.url', () => JSON.stringify(pathToFileURL(path).href))
      .replaceAll(/\b__filename\b(?!\s*=)/g, () => JSON.stringify(path))
      .replaceAll(/\b__dirname\b(?!\s*=)/g, () => JSON.stringify(join(path, '..')));
    return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
  };
}

function keep(fresh, inputs) {
  const made = JSON.stringify(inputs);
  const folder = createHash('sha256').update(made).digest('hex').slice(0, 16);
  // Another start may have made the same meanwhile, and runs it by now.
  if (existsSync(join(HOME, folder))) rmSync(fresh, { recursive: true });
  else renameSync(fresh, join(HOME, folder));
  const note = join(HOME, `made.${process.pid}`);
  writeFileSync(note, JSON.stringify({ folder, inputs }));
  renameSync(note, join(HOME, 'made.json'));
  forgetOld();
  return join(HOME, folder);
}

/** What a build left that was killed counts as one. */
function forgetOld() {
  const builds = readdirSync(HOME, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(HOME, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of builds.slice(BUILDS_KEPT)) rmSync(path, { recursive: true, force: true });
}
