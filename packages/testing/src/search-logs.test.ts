import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { controlFindsAll, searchLogs, searchText } from './search-logs.ts';

describe('a search of logs', () => {
  test('[B-3] finds each kind where it is, and never repeats it', () => {
    expect(controlFindsAll()).toBe(true);
    const found = searchText('a.log', `fine\nguest@example.com\n`, []);
    expect(found).toEqual([{ file: 'a.log', line: 2, kind: 'somebody’s address' }]);
  });

  test('[B-3] takes nothing else for it', () => {
    const lines = [
      'postgres://app@127.0.0.1:5432/bookiji',
      'at file:///node_modules/.pnpm/pg@8.23.1_pg@8.23.1/node_modules/pg/lib/client.js:1:1',
      '{"authorization":"[redacted]","connection_id":"5f0c9a52-3d9e-4f0e-9a53-6a1f3c2b7d10"}',
    ];
    expect(searchText('a.log', lines.join('\n'), ['a secret of somebody'])).toEqual([]);
  });

  test('[B-3] knows a process’s secrets, of a list and of an id with its key each', () => {
    const folder = mkdtempSync(join(tmpdir(), 'calsync-logs-'));
    writeFileSync(join(folder, 'one.log'), 'one second-secret-0\n');
    writeFileSync(
      join(folder, 'one.secrets'),
      JSON.stringify(['first-secret-00,second-secret-0', 'k1:third-secret-00']),
    );
    writeFileSync(join(folder, 'two.log'), 'third-secret-00\n');
    writeFileSync(join(folder, 'two.secrets'), JSON.stringify(['first-secret-00', 'k1:third-secret-00']));
    const { processes, lines, findings } = searchLogs(folder);
    rmSync(folder, { recursive: true });
    expect({ processes, lines }).toEqual({ processes: 2, lines: 2 });
    expect(findings.map(({ file }) => file).sort()).toEqual(['one.log', 'two.log']);
  });
});
