/** A search of everything that the processes of a test run wrote, for what no log may hold. */
import { appendFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As the sandbox issues them, in the shapes of the real ones. */
const TOKENS: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['an access token of Google', /ya29\.[\w-]{20,}/],
  ['a refresh token of Google', /1\/\/0[\w-]{20,}/],
  ['an authorization code of Google', /4\/0A[\w-]{20,}/],
  ['an access token of Microsoft', /EwB[\w-]{40,}/],
  ['a refresh token or a code of Microsoft', /\b0\.A[\w-]{30,}/],
  ['a bearer token', /bearer [\w.~+/-]{16,}/i],
  ['somebody’s address', /[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b/],
];

export interface LogFinding {
  readonly file: string;
  readonly line: number;
  /** What was found; never the words themselves. */
  readonly kind: string;
}

export interface LogSearch {
  readonly processes: number;
  readonly lines: number;
  readonly findings: readonly LogFinding[];
}

/** @param secrets what the process was given and may not say, whole. */
export function searchText(file: string, text: string, secrets: readonly string[]): LogFinding[] {
  const findings: LogFinding[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const kinds = TOKENS.flatMap(([kind, shape]) => (shape.test(line) ? [kind] : []));
    if (secrets.some((secret) => line.includes(secret))) kinds.push('a secret of its settings');
    for (const kind of kinds) findings.push({ file, line: index + 1, kind });
  }
  return findings;
}

/** Searches a folder of `<process>.log` files with their `<process>.secrets` beside them. */
export function searchLogs(folder: string): LogSearch {
  const names = readdirSync(folder).filter((name) => name.endsWith('.log'));
  const findings: LogFinding[] = [];
  let lines = 0;
  for (const name of names) {
    const text = readFileSync(join(folder, name), 'utf8');
    lines += text.split('\n').length - 1;
    findings.push(...searchText(name, text, readSecrets(join(folder, name.replace(/\.log$/, '.secrets')))));
  }
  return { processes: names.length, lines, findings };
}

/** A search that finds nothing proves something only if it finds what is there: one line of each kind is planted. */
export function controlFindsAll(): boolean {
  const long = 'x'.repeat(80);
  const planted = [
    `ya29.a0${long}`,
    `1//0${long}`,
    `4/0A${long}`,
    `EwB${long}`,
    `0.AX${long}`,
    `authorization: Bearer ${long}`,
    'guest@example.com',
    `{"key":"${long}"}`,
  ];
  const kinds = planted.map((line) => searchText('control', `before\n${line}\nafter`, [`"${long}"`]));
  return kinds.every((found) => found.length > 0 && found.every(({ line }) => line === 2));
}

/** Lists are split; of `id:key` the key counts. What is short is no secret but a word of a test. */
function readSecrets(path: string): string[] {
  if (!existsSync(path)) return [];
  const given = JSON.parse(readFileSync(path, 'utf8')) as string[];
  return given
    .flatMap((list) => list.split(','))
    .map((item) => item.slice(item.indexOf(':') + 1).trim())
    .filter((secret) => secret.length >= 12);
}

/** For a part of the product that a test runs in its own process, with a logger of its own. */
export function keepLogLine(line: string): void {
  const folder = process.env.CALSYNC_TEST_LOGS;
  if (folder !== undefined) appendFileSync(join(folder, `in-process-${process.pid}.log`), line);
}
