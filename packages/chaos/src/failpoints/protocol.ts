/** What a run and the probe in one of its processes say to each other: orders go by IPC, reports come as lines. */

export type Strike =
  /** SIGKILL: the process is gone at once. */
  | 'kill'
  /** SIGSTOP: it stands still until somebody sends SIGCONT. */
  | 'stop'
  /** Nothing: it is only told that the point was passed. */
  | 'tell';

export type ProbeOrder =
  | {
      readonly do: 'arm';
      readonly id: string;
      /** `claimEffect.before`, `call.createEvent.after`. */
      readonly point: string;
      readonly strike: Strike;
      /** A text that must be among the call's arguments; null takes any call. */
      readonly match: string | null;
    }
  | { readonly do: 'disarm'; readonly id: string };

export type ProbeReport =
  | { readonly what: 'armed'; readonly id: string }
  /** It runs again after a stop. */
  | { readonly what: 'released'; readonly id: string }
  /** Whatever it was doing when it was stopped is over. */
  | { readonly what: 'settled'; readonly id: string }
  | { readonly what: 'hit'; readonly id: string; readonly point: string; readonly action: Strike };

const MARK = '@@probe ';

export function writeReport(report: ProbeReport): string {
  return `${MARK}${JSON.stringify(report)}\n`;
}

export function readReport(line: string): ProbeReport | null {
  return line.startsWith(MARK) ? (JSON.parse(line.slice(MARK.length)) as ProbeReport) : null;
}
