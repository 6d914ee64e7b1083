import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const MODULE = fileURLToPath(new URL('./run-process.ts', import.meta.url));

/** A process with one part, ended by SIGTERM as soon as it is up. */
async function endProcess(stopPart: string): Promise<{ code: number | null; stderr: string }> {
  const script = `
    import { runProcess } from ${JSON.stringify(MODULE)};
    await runProcess({ role: 'tester', drainMs: 100, start: async ({ own, deadline }) => {
      own({ name: 'part', stop: ${stopPart} });
      setInterval(() => undefined, 1000);
      process.stdout.write('up');
    } });`;
  const flags = [
    '--conditions=@bookiji/source',
    '--disable-warning=ExperimentalWarning',
    '--input-type=module-typescript',
  ];
  const child = spawn(process.execPath, [...flags, '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, stderr };
}

describe('a process that is asked to end', () => {
  test('[S-4] exits 0 after its parts have stopped', async () => {
    expect(await endProcess('async () => undefined')).toEqual({ code: 0, stderr: '' });
  });

  test('[S-4] waits for work in flight until the deadline tells it to give up', async () => {
    const work = '() => new Promise((resolve) => deadline.addEventListener("abort", () => resolve()))';
    expect(await endProcess(work)).toEqual({ code: 0, stderr: '' });
  });

  test('[R-2] ends also when a part never stops, since the store it waits for is away', async () => {
    expect((await endProcess('() => new Promise(() => undefined)')).code).toBe(1);
  });
});
