/**
 * Preloaded by every process, so that it starts in half the time. A process imports more than a thousand modules, and
 * finding them (manifests, symbolic links, extensions tried in turn) costs as much as running them. What an import of an
 * installed package leads to changes only with an installation: it is remembered in `.bookiji/imports`, a file per
 * entry, until the next one.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { flushCompileCache, isBuiltin, registerHooks } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const KEPT_AFTER_MS = 5_000;
const ROOT_URL = new URL('..', import.meta.url).href;
const ROOT = fileURLToPath(ROOT_URL);
const PACKAGES_URL = `${ROOT_URL}node_modules/.pnpm/`;

const stamp = readStamp();
const file = join(ROOT, '.bookiji', 'imports', `${nameOf(process.argv[1])}.json`);
const known = stamp === null ? new Map() : readKnown();
/** Packages of this repository, within this process alone: their manifests may be edited at any time. */
const own = new Map();
let hasLearned = false;

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (isBuiltin(specifier)) {
      return {
        url: specifier.startsWith('node:') ? specifier : `node:${specifier}`,
        format: 'builtin',
        shortCircuit: true,
      };
    }
    if (specifier.startsWith('@bookiji/')) return ownPackage(specifier, context, nextResolve);
    const parent = context.parentURL ?? '';
    const isRelative = specifier.startsWith('.');
    // Imports of our own say the file's whole name: nothing is left to be found.
    if (isRelative && specifier.endsWith('.ts') && !parent.startsWith(PACKAGES_URL)) {
      return { url: new URL(specifier, parent).href, format: 'module-typescript', shortCircuit: true };
    }
    if (stamp === null || !parent.startsWith(isRelative ? PACKAGES_URL : ROOT_URL))
      return nextResolve(specifier, context);
    // A package is the same for every file of the package that asks for it, by `import` and by `require` apart.
    const key = `${context.conditions.includes('require') ? 'require' : 'import'} ${specifier} ${parent.slice(ROOT_URL.length)}`;
    const remembered = known.get(key);
    if (remembered !== undefined) {
      const [path, format] = remembered;
      return { url: ROOT_URL + path, ...(format === null ? {} : { format }), shortCircuit: true };
    }
    const found = nextResolve(specifier, context);
    if (found.url.startsWith(PACKAGES_URL)) {
      known.set(key, [found.url.slice(ROOT_URL.length), found.format ?? null]);
      hasLearned = true;
    }
    return found;
  },
});

process.on('exit', keepKnown);
// One that is killed has no end: what it found and compiled is kept a little after its start as well.
setTimeout(() => {
  keepKnown();
  flushCompileCache();
}, KEPT_AFTER_MS).unref();

function keepKnown() {
  if (!hasLearned) return;
  hasLearned = false;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify({ stamp, known: [...known] }));
    renameSync(fresh, file);
  } catch {
    // A folder that cannot be written costs the next start its time, nothing else.
  }
}

function ownPackage(specifier, context, nextResolve) {
  const remembered = own.get(specifier);
  if (remembered !== undefined) return { ...remembered, shortCircuit: true };
  const found = nextResolve(specifier, context);
  own.set(specifier, { url: found.url, format: found.format });
  return found;
}

/** Changes with every installation and with the version of Node; null where pnpm did not install. */
function readStamp() {
  try {
    const { mtimeMs, size } = statSync(join(ROOT, 'node_modules', '.modules.yaml'));
    return `${process.version} ${mtimeMs} ${size}`;
  } catch {
    return null;
  }
}

function readKnown() {
  try {
    const held = JSON.parse(readFileSync(file, 'utf8'));
    if (held.stamp === stamp) return new Map(held.known);
  } catch {
    // The first start, or a file that was cut off.
  }
  return new Map();
}

function nameOf(entry = 'none') {
  return relative(ROOT, entry).replace(/[^A-Za-z0-9-]+/g, '-');
}
