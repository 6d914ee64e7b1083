import { EXIT, type ExitCode } from './exit-codes.ts';

/** Something the operator can put right: shown as one line. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.no) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}
