/**
 * Preloaded by every process that a test run starts: what it writes to its standard streams is kept in
 * `CALSYNC_TEST_LOGS` as well, beside the secrets it was given, so that the run can be searched whole at its end. Written
 * at once, since processes of tests are killed at any moment.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname, join } from 'node:path';

const SECRETS = /(TOKENS|SECRETS?|ENCRYPTION_KEYS)$/;
/** Its output is a terminal's, where it shows the made-up passwords of a local fleet on purpose. */
const SHOWN_TO_A_PERSON = /(scripts\/start\.ts|\/programs\/[0-9a-f]+\/start\.mjs)$/;
const folder = process.env.CALSYNC_TEST_LOGS;
if (folder !== undefined && fs.existsSync(folder) && !SHOWN_TO_A_PERSON.test(process.argv[1] ?? '')) keepOutput(folder);

function keepOutput(dir) {
  const entry = process.argv[1] ?? 'none';
  const role = basename(dirname(dirname(entry)));
  const name = join(dir, `${role}-${basename(entry)}-${process.pid}-${Date.now()}`);
  const secrets = Object.entries(process.env).flatMap(([variable, value]) => (SECRETS.test(variable) ? [value] : []));
  fs.writeFileSync(`${name}.secrets`, JSON.stringify(secrets));
  const { write, writeSync } = fs;
  let file;
  const keep = (chunk) => {
    file ??= fs.openSync(`${name}.log`, 'a');
    writeSync(file, chunk);
  };
  // The logger writes to the file descriptor, everything else to the stream.
  fs.write = (fd, chunk, ...rest) => {
    if (fd === 1 || fd === 2) keep(chunk);
    return write(fd, chunk, ...rest);
  };
  fs.writeSync = (fd, chunk, ...rest) => {
    if (fd === 1 || fd === 2) keep(chunk);
    return writeSync(fd, chunk, ...rest);
  };
  syncBuiltinESMExports();
  for (const stream of [process.stdout, process.stderr]) {
    const writeStream = stream.write;
    stream.write = (chunk, ...rest) => {
      keep(chunk);
      return writeStream.call(stream, chunk, ...rest);
    };
  }
}
