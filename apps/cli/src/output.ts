/**
 * What a command says. People read lines on stdout; with `--json` stdout holds exactly one JSON document and everything
 * else goes to stderr.
 */
export interface Output {
  readonly isJson: boolean;
  /** Whether a person is watching, who can be asked to think again. */
  readonly isWatched: boolean;
  /**
   * The command's result: printed as the JSON document, or through `render` for people. As JSON the first one is the
   * document: what goes wrong after it changes the exit code and is told on stderr.
   */
  result(document: unknown, render: () => string): void;
  /** Passing news, never part of the result. */
  note(line: string): void;
  /** A bar while a person is watching; silent otherwise. */
  progress(title: string, total: number): Progress;
}

export interface Progress {
  /** How much is done by now, and what it is at. */
  show(done: number, at?: string): void;
  end(): void;
}

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function createOutput(isJson: boolean, stdout: Terminal, stderr: Terminal): Output {
  let isSaid = false;
  return {
    isJson,
    isWatched: stderr.isTTY === true,
    result(document, render) {
      if (isJson && isSaid) return;
      isSaid = true;
      stdout.write(isJson ? `${JSON.stringify(document, null, 2)}\n` : `${render()}\n`);
    },
    note(line) {
      stderr.write(`${line}\n`);
    },
    progress: (title, total) => (stderr.isTTY === true ? createBar(stderr, title, total) : SILENT),
  };
}

const SILENT: Progress = { show: () => undefined, end: () => undefined };
const BAR_WIDTH = 24;

function createBar(terminal: Terminal, title: string, total: number): Progress {
  const draw = (text: string) => terminal.write(`\r\u001b[K${text}`);
  return {
    show(done, at = '') {
      const filled = Math.round((Math.min(done, total) / Math.max(total, 1)) * BAR_WIDTH);
      const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '░');
      draw(`${title} ${bar} ${done}/${total} ${at}`.slice(0, (terminal.columns ?? 100) - 1));
    },
    end: () => void draw(''),
  };
}

/** Columns padded to their widest cell; the header first. Empty rows say so. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'none';
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)].join('\n');
}
