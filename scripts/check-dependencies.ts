import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT } from '@bookiji/local-fleet';
import { program } from './commands.ts';

interface Component {
  readonly name: string;
  readonly group?: string;
  readonly version: string;
  readonly licenses?: readonly {
    readonly license?: { readonly id?: string; readonly name?: string };
    readonly expression?: string;
  }[];
  readonly externalReferences?: readonly {
    readonly type: string;
    readonly hashes?: readonly { readonly alg: string }[];
  }[];
}

/** Licences that ask something of whoever runs a modified copy as a service, or of whoever passes on what is linked. */
const REFUSED_LICENCE = /\b(A?GPL|SSPL|BUSL|CPAL|OSL|EUPL)\b/;

/**
 * Writes the bill of materials of what goes into production, and asks the registry for known vulnerabilities. Some
 * registries answer no audits: that is said, and is no failure.
 */
export function checkDependencies(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  const made = pnpm('sbom', '--prod', '--sbom-format', 'cyclonedx', '--out', file);
  if (made.status !== 0) {
    process.stderr.write(`no bill of materials: ${made.output}\n`);
    return 1;
  }
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: readonly Component[] };
  const foreign = components.filter(({ group }) => group !== '@bookiji');
  const problems = [...foreign.flatMap(findProblem), ...audit()];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.stdout.write(`${foreign.length} packages of others in production, listed in ${file}\n`);
  return problems.length === 0 ? 0 : 1;
}

function findProblem({ name, version, licenses = [], externalReferences = [] }: Component): string[] {
  const isPinned = externalReferences.some(({ hashes = [] }) => hashes.some(({ alg }) => alg === 'SHA-512'));
  const licence = licenses
    .map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? '')
    .join(', ');
  // A choice of licences that names one of these names others too.
  const isRefused = REFUSED_LICENCE.test(licence) && !/\bOR\b/.test(licence);
  return [
    ...(isPinned ? [] : [`${name}@${version} has no hash in the lock file`]),
    ...(isRefused ? [`${name}@${version} has the licence ${licence}`] : []),
  ];
}

function audit(): string[] {
  const { status, output } = pnpm('audit', '--prod', '--audit-level', 'high');
  if (status === 0) return [];
  if (/AUDIT_BAD_RESPONSE|ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|fetch failed|META_FETCH|network/i.test(output)) {
    process.stdout.write('audit left out: the registry answers none\n');
    return [];
  }
  return [output];
}

function pnpm(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(program('.bin/pnpm'), args, {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, output: `${stdout}${stderr}`.trim().slice(-3_000) };
}
