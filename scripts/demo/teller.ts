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
