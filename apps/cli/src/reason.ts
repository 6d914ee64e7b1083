import { type Command, Option } from 'commander';

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
