import type { AggregatedResult } from '@jest/reporters';

/** Prints `N passed, N failed` alone on a line, last: a suite that does not load counts as a failure. */
export default class ClosingLineReporter {
  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const left =
      skipped === 0 ? '' : `\n${skipped} left out: what they need is not on this machine, or was not asked for\n`;
    process.once('exit', () => process.stdout.write(`${left}\n${results.numPassedTests} passed, ${failed} failed\n`));
  }
}
