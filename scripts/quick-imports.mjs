/**
 * Preloaded by every process. Node looks for a manifest and a link behind each import, a thousand times per process, and
 * some manifests name thousands of exports: half a second. An import by a relative path with its ending, inside a source
 * of ours or a package of plain ES modules, needs neither.
 */
import { registerHooks } from 'node:module';

const PACKAGES = '/node_modules/';
const PLAIN_PACKAGES = /\/node_modules\/(?:drizzle-orm|zod|bullmq\/dist\/esm)\//;

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier.startsWith('./') || specifier.startsWith('../')) {
      const parent = context.parentURL ?? PACKAGES;
      if (specifier.endsWith('.ts') && !parent.includes(PACKAGES)) return at(specifier, parent, 'module-typescript');
      if (specifier.endsWith('.js') && context.conditions.includes('import') && PLAIN_PACKAGES.test(parent))
        return at(specifier, parent, 'module');
    }
    return nextResolve(specifier, context);
  },
});

function at(specifier, parent, format) {
  return { url: new URL(specifier, parent).href, format, shortCircuit: true };
}
