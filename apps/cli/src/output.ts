/**
 * What a command says. People read lines on stdout; with `--json` stdout holds exactly one JSON document and everything
 * else goes to stderr.
 */
export interface Output {
  readonly isJson: boolean;
  /** The command's result: printed as the JSON document, or through `render` for people. */
  result(document: unknown, render: () => string): void;
  /** Passing news, never part of the result. */
  note(line: string): void;
}

export function createOutput(isJson: boolean, stdout: NodeJS.WritableStream, stderr: NodeJS.WritableStream): Output {
  return {
    isJson,
    result(document, render) {
      stdout.write(isJson ? `${JSON.stringify(document, null, 2)}\n` : `${render()}\n`);
    },
    note(line) {
      (isJson ? stderr : stdout).write(`${line}\n`);
    },
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
