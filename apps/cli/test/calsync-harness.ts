/** The command in this very process: what it says on both streams, and how it ends. */
import type { Environment } from '@bookiji/runtime';
import { runCalsync } from '../src/run-calsync.ts';

export interface CalsyncRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout read as one JSON document. */
  readonly json: <Document>() => Document;
}

/** @param terminal whether a person is watching; nobody is unless it says so. */
export function createCalsync(
  environment: Environment,
  now: () => Date = () => new Date(),
  terminal: { readonly isTTY?: boolean } = {},
) {
  return async (...args: string[]): Promise<CalsyncRun> => {
    const said = { stdout: '', stderr: '' };
    const stream = (name: keyof typeof said) => ({
      ...terminal,
      write: (text: string) => {
        said[name] += text;
      },
    });
    const code = await runCalsync(args, {
      environment: { USER: 'vera', ...environment },
      stdout: stream('stdout'),
      stderr: stream('stderr'),
      now,
    });
    return { code, ...said, json: () => JSON.parse(said.stdout) };
  };
}
