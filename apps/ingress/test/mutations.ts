/** Requests that began as genuine ones and were then damaged, the same for the same seed and number. */

export interface DamagedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
  /** Sent in chunks of this many bytes without a length; whole when undefined. */
  readonly chunkBytes?: number;
}

export interface GenuineRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Headers that prove the damaged body, so that it is read further than to the first check. */
  readonly sign?: (body: Buffer) => Record<string, string>;
}

export type Chance = () => number;

const below = (chance: Chance, limit: number) => Math.floor(chance() * limit);
const pick = <T>(chance: Chance, from: readonly T[]): T => from[below(chance, from.length)] as T;

/** What parsers, databases and templates have stumbled over. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  -0.5,
  2 ** 53,
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\ufeff',
  'ﷺ'.repeat(50),
  "'; DROP TABLE deliveries; --",
  '" OR ""="',
  '<script>alert(1)</script>',
  '$' + '{7*7}',
  '%s%n%x',
  '../../etc/passwd',
  'null',
  'undefined',
  'NaN',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  'x'.repeat(9_000),
  '2026-02-30T25:61:00Z',
  '0000-00-00T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  [],
  {},
  [[]],
  { toString: 'x' },
  { __proto__: null, valueOf: 1 },
  Array(300).fill(0),
];
const STRANGE_HEADERS: readonly string[] = [
  '',
  ' ',
  '0',
  '-1',
  '9'.repeat(30),
  'x'.repeat(2_000),
  "'; DROP TABLE deliveries; --",
  '<script>',
  '%00',
  'é\u00ff',
  'a,b',
  'a;b=c',
  '"',
  'null',
  '{}',
];
const CONTENT: readonly [string, string][] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'application/json; charset=x'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-type', 'application'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'br'],
  ['content-encoding', 'deflate'],
  ['content-encoding', 'x'],
  ['accept', 'image/*'],
  ['accept-encoding', 'gzip;q=x'],
  ['expect', 'x'],
  ['if-none-match', '*'],
  ['range', 'bytes=0-1'],
  ['x-http-method-override', 'DELETE'],
  ['x-forwarded-for', "1.1.1.1, '"],
  ['x-forwarded-proto', 'javascript'],
  ['cookie', 'calsync_oauth=x.y; calsync_oauth'],
  ['x-request-id', '<script>'],
];

type Draft = { method: string; path: string; headers: Record<string, string | string[]>; tree: unknown };
type TreeDamage = (draft: Draft, chance: Chance) => void;

const TREE_DAMAGE: readonly TreeDamage[] = [
  // A value somewhere becomes another one.
  (draft, chance) => {
    draft.tree = replaceSomewhere(draft.tree, chance, () => pick(chance, STRANGE));
  },
  // A value somewhere is wrapped, many times over.
  (draft, chance) => {
    draft.tree = replaceSomewhere(draft.tree, chance, (value) => {
      let wrapped = value;
      for (let depth = pick(chance, [1, 5, 60, 70, 900]); depth > 0; depth -= 1) wrapped = [wrapped];
      return wrapped;
    });
  },
  // A list says everything again.
  (draft, chance) => {
    draft.tree = replaceSomewhere(draft.tree, chance, (value) => Array(pick(chance, [2, 20])).fill(value));
  },
  // A header goes, changes or comes twice.
  ({ headers }, chance) => {
    const name = pick(chance, Object.keys(headers));
    const value = headers[name];
    const kind = below(chance, 4);
    if (kind === 0) delete headers[name];
    else if (kind === 1) headers[name] = pick(chance, STRANGE_HEADERS);
    else if (kind === 2) headers[name] = [value, pick(chance, STRANGE_HEADERS)].flat() as string[];
    else if (typeof value === 'string')
      headers[name] = scratch(Buffer.from(value), chance)
        .toString('latin1')
        .replace(/[^\x20-\x7e]/g, '~');
  },
  ({ headers }, chance) => {
    const [name, value] = pick(chance, CONTENT);
    headers[name] = value;
  },
  (draft, chance) => {
    draft.path = scratch(Buffer.from(draft.path), chance)
      .toString('latin1')
      .replace(/[^\x21-\x7e]/g, '%');
    if (!draft.path.startsWith('/')) draft.path = `/${draft.path}`;
  },
  (draft, chance) => {
    const [join, value] = [draft.path.includes('?') ? '&' : '?', encodeURI(String(pick(chance, STRANGE_HEADERS)))];
    draft.path += `${join}${pick(chance, ['validationToken', 'token', 'state', 'provider_id', '__proto__'])}=${value}`;
  },
  (draft, chance) => {
    draft.method = pick(chance, ['POST', 'POST', 'POST', 'GET', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']);
  },
];

/** The request with this number: always the same for the same seed, whatever was sent before it. */
export function damage(genuine: GenuineRequest, chance: Chance): DamagedRequest {
  const draft: Draft = {
    method: genuine.method,
    path: genuine.path,
    headers: { ...genuine.headers },
    tree: structuredClone(genuine.body),
  };
  for (let turn = below(chance, 4); turn >= 0; turn -= 1) pick(chance, TREE_DAMAGE)(draft, chance);
  let body: Buffer = draft.tree === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(draft.tree) ?? '');
  if (body.length > 0 && chance() < 0.3) body = scratch(body, chance);
  if (chance() < 0.003) body = Buffer.alloc(270_000, body.length === 0 ? 'x' : body);
  if (genuine.sign !== undefined && chance() < 0.9) Object.assign(draft.headers, genuine.sign(body));
  const { method, path, headers } = draft;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const isChunked = hasBody && body.length > 0 && chance() < 0.1;
  return { method, path, headers, body: hasBody ? body : Buffer.alloc(0), ...(isChunked ? { chunkBytes: 97 } : {}) };
}

/** Cuts, doubles, flips or writes over a piece. */
function scratch(bytes: Buffer, chance: Chance): Buffer {
  const at = below(chance, bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + below(chance, 12));
  switch (below(chance, 4)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 2: {
      const copy = Buffer.from(bytes);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << below(chance, 8));
      return copy;
    }
    default: {
      const garbage = Buffer.from(Array.from({ length: end - at }, () => below(chance, 256)));
      return Buffer.concat([bytes.subarray(0, at), garbage, bytes.subarray(end)]);
    }
  }
}

function replaceSomewhere(tree: unknown, chance: Chance, change: (value: unknown) => unknown): unknown {
  if (tree === undefined) return undefined;
  const isNode = typeof tree === 'object' && tree !== null;
  const names = isNode ? Object.keys(tree) : [];
  if (names.length === 0 || chance() < 0.15) return change(tree);
  const name = pick(chance, names);
  const inner = replaceSomewhere((tree as Record<string, unknown>)[name], chance, change);
  if (Array.isArray(tree)) return tree.map((value, index) => (String(index) === name ? inner : value));
  return { ...tree, [name]: inner };
}
