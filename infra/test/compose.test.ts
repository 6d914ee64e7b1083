/** Compose runs every process from one image, with the settings it reads, around stores that keep what they are given. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptionsOf } from '@bookiji/local-fleet';
import { fields } from '@bookiji/runtime';
import { describe, expect, test } from '@jest/globals';
import { ROLES } from './manifests.ts';
import { READERS, sample } from './process-settings.ts';
import { listFiles, ROOT, readText, readYaml, readYamlDocuments } from './read-files.ts';

test('every YAML file of infra parses, with no key twice', () => {
  const files = [...listFiles('infra', '.yml'), ...listFiles('infra', '.yaml')];
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) expect(() => readYamlDocuments(file)).not.toThrow();
});

describe('compose', () => {
  interface Service {
    readonly image: string;
    readonly command?: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
    readonly secrets?: readonly string[];
    readonly read_only?: boolean;
    readonly cap_drop?: readonly string[];
    readonly stop_grace_period?: string;
  }
  const compose = readYaml<{
    services: Record<string, Service>;
    secrets: Record<string, { environment: string }>;
    volumes: Record<string, unknown>;
  }>('infra/compose.yaml');
  const { services } = compose;
  /** Variables the file asks for, with their defaults; undefined where one must be given. */
  const asked = [...readText('infra/compose.yaml').matchAll(/\$\{(\w+)(:\?|:-)([^}]*)\}/g)];
  const interpolate = (text: string) =>
    text.replace(/\$\{(\w+)(:\?|:-)([^}]*)\}/g, (_all, name: string, kind: string, value: string) =>
      kind === ':-' ? value : sample(name),
    );

  test.each(ROLES)('%s runs its own entry with the variables it reads', (role) => {
    const service = services[role];
    expect(service).toMatchObject({
      command: [...nodeOptionsOf(role), `apps/${role}/src/main.ts`],
      read_only: true,
      cap_drop: ['ALL'],
      stop_grace_period: '45s',
    });
    const names = Object.keys(service?.environment ?? {});
    expect(names.filter((name) => !(name in fields))).toEqual([]);
    const environment = Object.fromEntries(
      Object.entries(service?.environment ?? {}).map(([name, value]) => [name, interpolate(value)]),
    );
    const settings = READERS[role](environment);
    expect(names.filter((name) => !(name in settings) && environment[name] !== '')).toEqual([]);
  });

  test('Redis writes its jobs to disk and evicts none', () => {
    const command = services.redis?.command?.join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  test('only this machine reaches the ports', () => {
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
  });

  // What Prometheus holds must not be able to empty a queue.
  test('[W-2] Prometheus reads the sum of the fleet with a token that changes nothing', () => {
    interface Job {
      authorization?: { credentials_file: string };
    }
    for (const file of ['prometheus.yml', 'prometheus.kubernetes.yml']) {
      const { scrape_configs } = readYaml<{ scrape_configs: Job[] }>(`infra/prometheus/${file}`);
      const files = scrape_configs.flatMap(({ authorization }) => authorization?.credentials_file ?? []);
      expect([file, files]).toEqual([file, ['/run/secrets/ops_read_only_token']]);
    }
    expect(services.prometheus?.secrets).toEqual(['ops_read_only_token']);
    const variable = compose.secrets.ops_read_only_token?.environment;
    expect(services.ops?.environment?.OPS_READ_ONLY_TOKENS).toBe(`\${${variable}:?}`);
    expect(services.ops?.environment?.OPS_TOKENS).not.toContain(variable);
  });

  test('what is mounted exists, and the example names every variable that must be given', () => {
    for (const { volumes = [], secrets = [] } of Object.values(services)) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const exists = source.startsWith('.') ? existsSync(join(ROOT, 'infra', source)) : source in compose.volumes;
        expect([source, exists]).toEqual([source, true]);
      }
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret);
    }
    const example = [...readText('infra/compose.env.example').matchAll(/^(\w+)=/gm)].map(([, name]) => name);
    const wanted = [
      ...asked.filter(([, , kind]) => kind === ':?').map(([, name]) => name),
      ...Object.values(compose.secrets).map(({ environment }) => environment),
    ];
    expect(wanted.filter((name) => !example.includes(name))).toEqual([]);
  });
});
