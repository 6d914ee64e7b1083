import { type Command, Option } from 'commander';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-codes.ts';

export interface ReasonOptions {
  readonly reason?: string;
  readonly why?: string;
}

/** `--reason <text>`, kept in the operator log. `--why` is its earlier name and still understood. */
export function withReason(command: Command): Command {
  return command
    .option('--reason <text>', 'kept in the operator log')
    .addOption(new Option('--why <text>', 'the same as --reason').hideHelp());
}

export function reasonOf(options: ReasonOptions): string | null {
  return options.reason ?? options.why ?? null;
}

/** Of what nobody can undo: whoever finds it done reads there why. */
export function requireReason(options: ReasonOptions): string {
  const reason = reasonOf(options)?.trim() ?? '';
  if (reason === '') throw new CommandError('this cannot be undone; say why with --reason "…"', EXIT.usage);
  return reason;
}
