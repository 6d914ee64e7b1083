/** `npm run test:scale`: storms on many processes and several stores, minutes long, one at a time. */
import settings from './jest.config.mjs';

export default { ...settings, testMatch: ['<rootDir>/packages/*/test/scale/*.scale.ts'], maxWorkers: 1 };
