/** Part of every program that `build-programs.mjs` makes, run before all else of it. */
import { readFileSync } from 'node:fs';
import { flushCompileCache, SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

const KEPT_AFTER_MS = 5_000;

// One that is killed has no end at which Node would keep what it compiled.
setTimeout(flushCompileCache, KEPT_AFTER_MS).unref();

/**
 * Stack traces name the lines of the sources. Node's own way reads every map at the start; few processes ever have a
 * trace to show.
 */
const maps = new Map();
Error.prepareStackTrace = (error, frames) => [nameOf(error), ...frames.map(describe)].join('\n    at ');

function nameOf(error) {
  try {
    return String(error);
  } catch {
    return 'Error';
  }
}

function describe(frame) {
  const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()];
  const text = String(frame);
  if (!file?.includes('/.bookiji/programs/') || line === null || column === null) return text;
  const { originalSource, originalLine, originalColumn } = mapOf(file)?.findEntry(line - 1, column - 1) ?? {};
  if (originalSource === undefined) return text;
  const path = fileURLToPath(new URL(originalSource, file));
  return text.replace(`${file}:${line}:${column}`, () => `${path}:${originalLine + 1}:${originalColumn + 1}`);
}

function mapOf(file) {
  if (!maps.has(file)) maps.set(file, readMap(file));
  return maps.get(file);
}

function readMap(file) {
  try {
    return new SourceMap(JSON.parse(readFileSync(fileURLToPath(`${file}.map`), 'utf8')));
  } catch {
    return null;
  }
}
