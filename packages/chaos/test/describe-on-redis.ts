import { describe } from '@jest/globals';

/** Left out where no Redis can be had, as everywhere in this repository. */
export const describeOnRedis = process.env.CALSYNC_TEST_REDIS === undefined ? describe.skip : describe;
