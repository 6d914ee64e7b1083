import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What a fleet on this machine keeps between runs; git-ignored. */
export const STATE_DIR = join(ROOT, '.bookiji');
