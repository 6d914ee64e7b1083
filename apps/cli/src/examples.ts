/** Examples below a command's help. */
export function examples(...lines: readonly (readonly [command: string, does: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  const rows = lines.map(([command, does]) => `  npm run calsync -- ${command.padEnd(width)}  ${does}`);
  return `\nExamples:\n${rows.join('\n')}`;
}
