/** The manifests name every process, give each the settings it reads, and no more rights than it needs. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { nodeOptionsOf } from '@bookiji/local-fleet';
import { fields } from '@bookiji/runtime';
import { describe, expect, test } from '@jest/globals';
import { type Container, type Deployment, type Manifest, ROLES, type Role, readManifests } from './manifests.ts';
import { PORTS, READERS, sample } from './process-settings.ts';
import { listFiles, ROOT, readYaml } from './read-files.ts';

/** `runProcess` gives work in flight this long after SIGTERM. */
const DRAIN_SECONDS = 12;

const DATABASE_LOGINS: Readonly<Record<Role, string>> = {
  ingress: 'DATABASE_URL_INGRESS',
  'inbound-worker': 'DATABASE_URL_WORKER',
  'outbound-worker': 'DATABASE_URL_WORKER',
  'retry-worker': 'DATABASE_URL_WORKER',
  ops: 'DATABASE_URL_OPS',
};

const manifests = readManifests();
const ofKind = <T extends Manifest>(kind: string) => manifests.filter((one): one is T => one.kind === kind);
const named = <T extends Manifest>(kind: string, name: string): T => {
  const found = ofKind<T>(kind).find((one) => one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const podOf = (role: Role) => named<Deployment>('Deployment', role).spec.template.spec;
const containerOf = (role: Role): Container => {
  const [container] = podOf(role).containers;
  if (container === undefined) throw new Error(`${role} has no container`);
  return container;
};

const { configMapGenerator, resources } = readYaml<{
  configMapGenerator: { name: string; literals: string[] }[];
  resources: string[];
}>('infra/kubernetes/kustomization.yml');
const literals = new Map(
  configMapGenerator
    .flatMap((generator) => generator.literals)
    .map((literal): [string, string] => [literal.split('=', 1)[0] ?? '', literal.slice(literal.indexOf('=') + 1)]),
);

describe('Kubernetes', () => {
  test('[S-1] the base holds every file but the migration, which is a step of its own', () => {
    const files = listFiles('infra/kubernetes', '.yml').map((path) => path.replace('infra/kubernetes/', ''));
    expect([...resources, 'kustomization.yml', 'migrate.yml'].sort()).toEqual(files);
  });

  test('[S-1] the base is rendered by kustomize', () => {
    const { status, stdout, stderr, error } = spawnSync('kubectl', ['kustomize', join(ROOT, 'infra/kubernetes')], {
      encoding: 'utf8',
    });
    // kubectl is no tool of this repository; where it is there, it has the last word.
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
    expect({ status, stderr }).toMatchObject({ status: 0 });
    for (const role of ROLES) expect(stdout).toContain(`- apps/${role}/src/main.ts`);
  });

  describe.each(ROLES)('%s', (role) => {
    test('runs its own entry, not as root, on a root it cannot write', () => {
      const { securityContext, automountServiceAccountToken } = podOf(role);
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(securityContext.runAsUser).toBeGreaterThan(0);
      expect(automountServiceAccountToken).toBe(false);
      const container = containerOf(role);
      expect(container.args).toEqual([...nodeOptionsOf(role), `apps/${role}/src/main.ts`]);
      expect(existsSync(join(ROOT, container.args?.at(-1) ?? 'none'))).toBe(true);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toBeTruthy();
    });

    test('is probed where it answers', () => {
      const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(role);
      const port = fields[PORTS[role]].parse(undefined);
      expect(ports).toEqual([{ name: 'http', containerPort: port }]);
      expect(startupProbe?.httpGet).toEqual({ path: '/healthz', port: 'http' });
      expect(livenessProbe?.httpGet).toEqual({ path: '/healthz', port: 'http' });
      expect(readinessProbe?.httpGet).toEqual({ path: '/readyz', port: 'http' });
      expect(named<Manifest & { spec: unknown }>('Service', role).spec).toMatchObject({ ports: [{ port }] });
    });

    test('gets the variables it reads, all of them known, and starts with them', () => {
      const { env = [], envFrom } = containerOf(role);
      expect(envFrom).toEqual([{ configMapRef: { name: 'calsync' } }]);
      for (const { name, valueFrom } of env) {
        // Each kind of process comes into the database by a login of its own.
        const key = name === 'DATABASE_URL' ? DATABASE_LOGINS[role] : name;
        expect(valueFrom.secretKeyRef).toMatchObject({ name: 'calsync', key });
      }
      const names = env.map(({ name }) => name);
      expect([...names, ...literals.keys()].filter((name) => !(name in fields))).toEqual([]);
      const environment = Object.fromEntries([
        ...literals,
        ...names.map((name): [string, string] => [name, sample(name)]),
      ]);
      const settings = READERS[role](environment);
      // A secret that a process does not read is one it should not hold.
      expect(names.filter((name) => !(name in settings))).toEqual([]);
    });

    test('has longer to end than its drain and its longest call together', () => {
      const pod = podOf(role);
      const callSeconds = Number(literals.get('PROVIDER_TIMEOUT_MS')) / 1_000;
      const preStop = containerOf(role).lifecycle?.preStop.sleep.seconds ?? 0;
      expect(callSeconds).toBeGreaterThan(0);
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStop + DRAIN_SECONDS + callSeconds);
    });

    test('may be disrupted one at a time', () => {
      const budget = named<Manifest & { spec: Record<string, unknown> }>('PodDisruptionBudget', role);
      expect(budget.spec).toMatchObject({ selector: { matchLabels: { 'app.kubernetes.io/name': role } } });
      expect(budget.spec.minAvailable ?? budget.spec.maxUnavailable).toBe(1);
    });
  });

  test('everything is off, and nothing secret stands in the base', () => {
    for (const [name, value] of literals)
      if (/^CALENDAR_.*_ENABLED$/.test(name)) expect([name, value]).toEqual([name, 'false']);
    expect(
      [...literals.keys()].filter((name) => /SECRET|TOKEN|KEY|_URL$/.test(name) && name !== 'PUBLIC_BASE_URL'),
    ).toEqual([]);
    expect(ofKind('Secret')).toEqual([]);
  });

  test('what is not allowed is denied, and processes that write to no calendar reach none', () => {
    interface Policy extends Manifest {
      spec: {
        podSelector: { matchExpressions?: { values: string[] }[] };
        policyTypes: string[];
        ingress?: unknown;
        egress?: { ports: { port: number }[] }[];
      };
    }
    const deny = named<Policy>('NetworkPolicy', 'calsync-deny').spec;
    expect(deny).toMatchObject({ policyTypes: ['Ingress', 'Egress'] });
    expect([deny.ingress, deny.egress]).toEqual([undefined, undefined]);
    const outward = ofKind<Policy>('NetworkPolicy').filter(({ spec }) =>
      spec.egress?.some(({ ports }) => ports.some(({ port }) => port === 443)),
    );
    expect(outward.map(({ spec }) => spec.podSelector.matchExpressions?.[0]?.values)).toEqual([
      ['ingress', 'inbound-worker', 'outbound-worker', 'retry-worker'],
    ]);
  });

  test('the world reaches notifications and OAuth alone', () => {
    interface PublicRoutes extends Manifest {
      spec: { rules: { http: { paths: { path: string }[] } }[] };
    }
    const paths = ofKind<PublicRoutes>('Ingress').flatMap(({ spec }) =>
      spec.rules.flatMap(({ http }) => http.paths.map(({ path }) => path)),
    );
    expect(paths).toEqual(['/api/webhooks/calendar/', '/api/auth/']);
  });

  test('workers are scaled by pending intents and their age, never to none', () => {
    interface Scaler extends Manifest {
      spec: {
        scaleTargetRef: { name: Role };
        minReplicaCount: number;
        triggers: { type: string; metadata: { query: string; ignoreNullValues: string } }[];
      };
    }
    const scalers = ofKind<Scaler>('ScaledObject');
    expect(scalers.map(({ spec }) => spec.scaleTargetRef.name)).toEqual(['inbound-worker', 'outbound-worker']);
    for (const { spec } of scalers) {
      expect(spec.minReplicaCount).toBeGreaterThanOrEqual(1);
      // Otherwise the autoscaler and every deployment would set the number in turns.
      expect(named<Deployment>('Deployment', spec.scaleTargetRef.name).spec.replicas).toBeUndefined();
      expect(spec.triggers.map(({ metadata }) => /calendar_intent[a-z_]+/.exec(metadata.query)?.[0])).toEqual([
        'calendar_intents_pending',
        'calendar_intent_oldest_age_seconds',
      ]);
      // With the default a Prometheus that is gone looks like a fleet without work.
      for (const { metadata } of spec.triggers) expect(metadata.ignoreNullValues).toBe('false');
    }
  });
});
