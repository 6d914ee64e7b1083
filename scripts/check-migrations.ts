/** Migrations are never edited once they are in the list of hashes: the runner itself would not notice. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';

const DIR = join(ROOT, 'migrations');

export function checkMigrationHashes(): number {
  const listed = new Map(
    readFileSync(join(DIR, 'hashes.txt'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('  ').reverse() as [string, string]),
  );
  const problems: string[] = [];
  for (const name of readdirSync(DIR).filter((file) => file.endsWith('.sql'))) {
    const text = readFileSync(join(DIR, name), 'utf8');
    const hash = createHash('sha256').update(text).digest('hex');
    if (!listed.has(name)) problems.push(`${name} is not in migrations/hashes.txt: ${hash}  ${name}`);
    else if (listed.get(name) !== hash) problems.push(`${name} was edited after it was listed; write a new migration`);
    if (!/^-- Down Migration$/m.test(text)) problems.push(`${name} has no down section`);
    problems.push(...findContractions(text).map((line) => `${name} stops the version before: ${line}`));
  }
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

const CONTRACTS =
  /\bDROP (TABLE|COLUMN|FUNCTION|VIEW|TYPE)\b|\bRENAME\b|\bSET NOT NULL\b|\bALTER COLUMN \S+ (SET DATA )?TYPE\b|\bADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL\b/i;

/** Lines of the up section that the running version may not survive and that say no reason; see docs/decisions/0025. */
export function findContractions(migration: string): string[] {
  const [up = ''] = migration.split(/^-- Down Migration$/m);
  const lines = up.split('\n').map((line) => line.trim());
  return lines.filter(
    (line, at) => !line.startsWith('--') && CONTRACTS.test(line) && !lines[at - 1]?.startsWith('-- contract: '),
  );
}
