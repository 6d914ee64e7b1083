import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { cpuSecondsOf } from './cpu-time.ts';

test('what a child has used is counted after it ended as well', () => {
  const before = cpuSecondsOf(process.pid);
  spawnSync(process.execPath, ['-e', 'while (process.cpuUsage().user < 400_000);']);
  expect(cpuSecondsOf(process.pid) - before).toBeGreaterThan(0.35);
});
