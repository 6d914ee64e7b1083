/** What a command's end means to a script. */
export const EXIT = {
  /** Done; the answer is yes. */
  done: 0,
  /** The answer is no: violations, NO-GO, a drill that failed, something that does not exist or cannot be done. */
  no: 1,
  /** The command or its settings are wrong; nothing was done. */
  usage: 2,
  /** Something that is needed does not answer, or failed unexpectedly. */
  unavailable: 3,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `Exit codes:
  0  done; the answer is yes
  1  the answer is no: violations, NO-GO, a failed drill, something that is not there
  2  the command or its settings are wrong; nothing was done
  3  something that is needed does not answer`;
