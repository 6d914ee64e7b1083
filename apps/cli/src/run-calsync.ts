/** One run of the command: parse, do, say how it ended. */
import { SettingsError } from '@bookiji/runtime';
import { CommanderError } from 'commander';
import { CommandError } from './command-error.ts';
import { createContext } from './context.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { innermost } from './innermost.ts';
import { createOutput, type Terminal } from './output.ts';
import { createProgram } from './program.ts';

export interface CalsyncSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly now: () => Date;
}

/** @returns the exit code. Never throws. */
export async function runCalsync(args: readonly string[], surroundings: CalsyncSurroundings): Promise<ExitCode> {
  const { environment, stdout, stderr, now } = surroundings;
  // `--json` may stand anywhere: operators put it last.
  const isJson = args.includes('--json');
  const output = createOutput(isJson, stdout, stderr);
  const { context, exitCode, close } = createContext(output, environment, now);
  try {
    const program = createProgram(
      context,
      (text) => (isJson ? output.result({ help: text }, () => '') : stdout.write(text)),
      (text) => stderr.write(text),
    );
    await program.parseAsync([...(isJson ? ['--json'] : []), ...args.filter((arg) => arg !== '--json')], {
      from: 'user',
    });
    return exitCode();
  } catch (error) {
    // Commander has said it already; help is no error.
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done;
      if (isJson) output.result({ error: { code: 'usage', message: describeUsage(error) } }, () => '');
      return EXIT.usage;
    }
    const failure = describeFailure(error);
    stderr.write(`calsync: ${failure.message}\n`);
    if (isJson) output.result({ error: { code: failure.code, message: failure.message } }, () => '');
    return failure.exitCode;
  } finally {
    await close();
  }
}

/** Commander's own word for "help was shown because nothing was asked" is of no use to a program. */
function describeUsage({ code, message }: CommanderError): string {
  return code === 'commander.help'
    ? 'a command is missing; --help tells what there is'
    : message.replace(/^error: /, '');
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** Failures in one line, without what the database was told. */
function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) {
    const code = error.exitCode === EXIT.usage ? 'usage' : error.exitCode === EXIT.no ? 'refused' : 'unavailable';
    return { code, message: error.message, exitCode: error.exitCode };
  }
  if (error instanceof SettingsError) return { code: 'settings', message: error.message, exitCode: EXIT.usage };
  const unavailable = (message: string): Failure => ({ code: 'unavailable', message, exitCode: EXIT.unavailable });
  const { code, name, message } = innermost(error);
  if (code === 'ECONNREFUSED' || code === 'CONNECT_TIMEOUT' || code === 'ENOTFOUND')
    return unavailable('the database at DATABASE_URL does not answer');
  if (code === '42P01' || code === '42703' || code === '42883')
    return unavailable('the schema is not current; run: npm run calsync -- migrate up');
  return unavailable(code === null ? (message.split('\n')[0] ?? name) : `${name} ${code}`);
}
