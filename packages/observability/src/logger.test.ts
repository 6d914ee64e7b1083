import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const SCRIPT = `
  import { createLogger, flushLog } from '@bookiji/observability';
  const logger = createLogger({ role: 'test', level: 'info' });
  process.stdin.on('end', async () => {
    // One on its way, and one behind it.
    logger.info('the last but one');
    logger.info('last words');
    await flushLog(logger, 200);
    process.exit(0);
  }).resume();
  process.stderr.write('ready');`;

/** A process that logs and ends when its standard input does. */
function startSpeaker() {
  const flags = ['--conditions=@bookiji/source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '-e', SCRIPT], {
    cwd: fileURLToPath(new URL('../../fleet', import.meta.url)),
    stdio: 'pipe',
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal)),
  );
  const ready = new Promise((resolve) => child.stderr.once('data', resolve));
  return { child, ended, ready };
}

describe('a process that ends', () => {
  test('[B-3] has its last line written', async () => {
    const { child, ended } = startSpeaker();
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const closed = new Promise((resolve) => child.stdout.once('close', resolve));
    child.stdin.end();
    expect(await ended).toBe(0);
    await closed;
    expect(said).toContain('last words');
  });

  test('[R-2] ends although nobody reads its log any more', async () => {
    const { child, ended, ready } = startSpeaker();
    await ready;
    child.stdout.destroy();
    child.stdin.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    expect(await ended).toBe(0);
    clearTimeout(timer);
  });
});
