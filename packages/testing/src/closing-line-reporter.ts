import { rmSync } from 'node:fs';
import type { AggregatedResult } from '@jest/reporters';
import { controlFindsAll, type LogSearch, searchLogs } from './search-logs.ts';

/** What is shown of what was found; the rest is alike. */
const SHOWN = 20;

/**
 * Searches everything that was logged in the run, as one test more, and prints `N passed, N failed` alone on a line,
 * last: a suite that does not load counts as a failure.
 */
export default class ClosingLineReporter {
  #error: Error | undefined;

  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    const search = this.#searchLogs();
    const isClean = search !== null && search.findings.length === 0;
    const passed = results.numPassedTests + (isClean ? 1 : 0);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + (search !== null && !isClean ? 1 : 0);
    const skipped = results.numPendingTests + results.numTodoTests;
    const left =
      skipped === 0 ? '' : `\n${skipped} left out: what they need is not on this machine, or was not asked for\n`;
    const said = search === null ? '' : describeSearch(search);
    process.once('exit', () => process.stdout.write(`${said}${left}\n${passed} passed, ${failed} failed\n`));
  }

  /** Jest asks for it, and ends with an error when there is one. */
  getLastError(): Error | undefined {
    return this.#error;
  }

  /** @returns null when nothing was logged, as by tests that start no process. */
  #searchLogs(): LogSearch | null {
    const folder = process.env.CALSYNC_TEST_LOGS;
    if (folder === undefined) return null;
    const found = searchLogs(folder);
    if (found.processes === 0) return null;
    const control = controlFindsAll() ? [] : [{ file: 'the control', line: 1, kind: 'something that was not found' }];
    const search = { ...found, findings: [...found.findings, ...control] };
    if (search.findings.length === 0) rmSync(folder, { recursive: true, force: true });
    else this.#error = new Error(`the logs hold what they may not; they are kept in ${folder}`);
    return search;
  }
}

function describeSearch({ processes, lines, findings }: LogSearch): string {
  const of = `[B-3] ${lines} lines of ${processes} processes`;
  if (findings.length === 0) return `\n${of} hold no token, no secret and nobody’s address\n`;
  const shown = findings.slice(0, SHOWN).map(({ file, line, kind }) => `  ${file}:${line} ${kind}`);
  return `\n${of} hold what they may not, ${findings.length} times:\n${shown.join('\n')}\n`;
}
