import { describe, expect, test } from '@jest/globals';
import { nameChange, refuseChange } from './board-rules.ts';

const QUEUE = '/api/queues/:queueName';
const FACTS = 'calendar-booking-events';
const RINGS = 'calendar-inbound-sync';

describe('[S-5] what Bull Board may do', () => {
  test.each([
    [`${QUEUE}/pause`, FACTS],
    [`${QUEUE}/resume`, FACTS],
    [`${QUEUE}/retry/:queueStatus`, FACTS],
    [`${QUEUE}/:jobId/retry`, FACTS],
    [`${QUEUE}/:jobId/promote`, FACTS],
    [`${QUEUE}/empty`, FACTS],
    [`${QUEUE}/empty`, RINGS],
    [`${QUEUE}/:jobId/clean`, RINGS],
    [`${QUEUE}/add`, RINGS],
    ['/api/queues/pause', null],
  ])('%s of %s is done', (route, queue) => {
    expect(refuseChange({ route, queue })).toBeNull();
  });

  test.each([
    [`${QUEUE}/obliterate`, RINGS],
    [`${QUEUE}/:jobId/update-data`, RINGS],
    [`${QUEUE}/add`, FACTS],
    [`${QUEUE}/:jobId/clean`, FACTS],
    [`${QUEUE}/clean/:queueStatus`, FACTS],
    [`${QUEUE}/empty`, 'calendar-external-changes'],
  ])('%s of %s is refused with a reason, since it would lose facts or marks', (route, queue) => {
    expect(refuseChange({ route, queue, status: 'wait' })).toMatch(/\.$/);
  });

  test('forgetting what is done is no loss', () => {
    expect(refuseChange({ route: `${QUEUE}/clean/:queueStatus`, queue: FACTS, status: 'completed' })).toBeNull();
  });

  test('goes by a plain word into the operator log', () => {
    expect(nameChange(`${QUEUE}/pause`)).toBe('queue_pause');
    expect(nameChange('/api/queues/pause')).toBe('queue_pause');
    expect(nameChange(`${QUEUE}/retry/:queueStatus`)).toBe('queue_retry');
    expect(nameChange(`${QUEUE}/:jobId/retry`)).toBe('job_retry');
  });
});
