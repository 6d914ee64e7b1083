/** What the demo says, with the seconds since it began. */
export interface Teller {
  /** A new step. */
  step(text: string): void;
  /** What came of it. */
  result(text: string): void;
  plain(text: string): void;
}

export function createTeller(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): Teller {
  const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const paint = (code: number, text: string) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const seconds = () => paint(2, `[${process.uptime().toFixed(1)} s]`.padStart(8));
  return {
    step: (text) => write(`${seconds()} ${text}`),
    result: (text) => write(`${seconds()}   ${paint(32, '→')} ${text}`),
    plain: (text) => write(text),
  };
}

export interface HeldTeller extends Teller {
  /** What was held back is told now, and what comes from now on at once. */
  release(): void;
}

/** Holds back what happens beside another story, with the seconds at which it happened, until that one is told. */
export function holdBack(write: (line: string) => void): HeldTeller {
  const held: string[] = [];
  let isOpen = false;
  const teller = createTeller((line) => (isOpen ? write(line) : held.push(line)));
  return {
    ...teller,
    release() {
      isOpen = true;
      for (const line of held.splice(0)) write(line);
    },
  };
}
