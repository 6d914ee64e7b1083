import type { AggregatedResult } from '@jest/reporters';

/** Prints `N passed, N failed` alone on a line, last: a suite that does not load counts as a failure. */
export default class ClosingLineReporter {
  onRunComplete(_contexts: unknown, results: AggregatedResult): void {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
    process.once('exit', () => process.stdout.write(`\n${line}\n`));
  }
}
