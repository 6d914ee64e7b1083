/**
 * Preloaded by every process. drizzle-orm's manifest names thousands of exports, and Node reads it again for each of
 * the library's two hundred modules: 0.4 s per process. Its relative imports need no manifest to be resolved.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, nextResolve) {
    if (specifier.startsWith('./') || specifier.startsWith('../')) {
      const parent = context.parentURL;
      if (parent?.includes('/node_modules/drizzle-orm/') && specifier.endsWith('.js')) {
        return { url: new URL(specifier, parent).href, format: 'module', shortCircuit: true };
      }
    }
    return nextResolve(specifier, context);
  },
});
