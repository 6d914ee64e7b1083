/** The sandbox's own time: the machine's, moved by an offset. Tokens, channels and cursors live by it. */
export interface SandboxClock {
  /** Milliseconds since the epoch. */
  now(): number;
  readonly offsetMs: number;
  moveTo(offsetMs: number): void;
  advance(byMs: number): void;
  /** Called after every move, so that what expired meanwhile can be noticed at once. */
  onMove(listener: () => void): void;
}

export function createClock(machine: () => number = Date.now): SandboxClock {
  let offsetMs = 0;
  const listeners: (() => void)[] = [];
  const moveTo = (next: number) => {
    offsetMs = next;
    for (const listener of listeners) listener();
  };
  return {
    now: () => machine() + offsetMs,
    get offsetMs() {
      return offsetMs;
    },
    moveTo,
    advance: (byMs) => moveTo(offsetMs + byMs),
    onMove: (listener) => void listeners.push(listener),
  };
}
