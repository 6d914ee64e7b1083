/** `npm run sbom [file]`: what the product is made of, as CycloneDX, held to its rules; and what is known against it. */
import { join } from 'node:path';
import { STATE_DIR } from '@bookiji/local-fleet';
import { checkDependencies } from './check-dependencies.ts';

process.exit(checkDependencies(process.argv[2] ?? join(STATE_DIR, 'sbom.cdx.json')));
