import { randomUUID } from 'node:crypto';
import { channelSecret, createChannelId } from '@bookiji/sync';
import type { Drill } from '../drill.ts';
import { connectProvider } from '../scene/connect.ts';
import { channelSecretsOf } from '../scene/keep-credentials.ts';
import { type HookAnswer, postHook, WEBHOOK_PATHS } from '../scene/notifier.ts';
import { readConnection, untilQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';

const SQL = "'; DROP TABLE external_calendar_connections; --";
const SCRIPT = '<script>alert(1)</script>';
const OVERSIZED = JSON.stringify({ id: 'x'.repeat(300 * 1024) });
/** What no answer may hold: traces, statements, file names, names of the stores. */
const INTERNALS = /\bat [\w.<>]+ \(|\.ts\b|node_modules|SELECT |INSERT |postgres|redis|ECONN|stack/i;

interface BadCase {
  readonly what: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly status: number;
}

export const malformedNotifications: Drill = {
  name: 'malformed-notifications',
  title: 'Bad notifications are refused by their own status, leave nothing behind and learn nothing',
  proves: ['W-1', 'W-6'],
  needs: [],
  phase: 'calm',
  async run(scene) {
    const witness = scene.target.owned === null ? null : await connectProvider(scene, 'google');
    if (witness !== null) await untilQuiet(scene, witness.connectionId);
    const before = witness === null ? null : await readConnection(scene, witness.connectionId);
    const answers: HookAnswer[] = [];
    const requestIds: string[] = [];
    for (const one of [...casesOf(WEBHOOK_PATHS.google), ...casesOf(WEBHOOK_PATHS.microsoft), ...ownCases(scene)]) {
      const requestId = `drill-${randomUUID()}`;
      const headers = { 'content-type': 'application/json', 'x-request-id': requestId, ...one.headers };
      const answer = await postHook(`${scene.ingress.url}${one.path}`, headers, one.body);
      scene.notes.saw(`[W-6] ${one.path.split('/').at(-1)}: ${one.what}`, answer.status, one.status);
      answers.push(answer);
      requestIds.push(requestId);
    }
    scene.notes.did('sent bad notifications', { sent: answers.length });
    const telling = answers.filter(({ text }) => INTERNALS.test(text)).length;
    scene.notes.saw('[W-6] no answer tells internals', telling, 0);
    const shaped = answers.filter(
      ({ body }) => typeof (body.error as { code?: unknown } | undefined)?.code === 'string',
    );
    scene.notes.saw('[W-1] both routes answer errors in the one shape', shaped.length, answers.length);
    if (witness === null || before === null) return;
    const after = await readConnection(scene, witness.connectionId);
    scene.notes.saw('[W-6] nothing was written', after, before);
    await sawRejections(scene, requestIds);
  },
};

function casesOf(path: string): BadCase[] {
  const isGoogle = path === WEBHOOK_PATHS.google;
  const unproven = isGoogle
    ? { headers: hostileHeaders(), body: '' }
    : { body: JSON.stringify({ value: [{ id: SQL, subscriptionId: SQL, clientState: SCRIPT, resource: SCRIPT }] }) };
  return [
    { what: 'no JSON is 400', path, body: '{"value": [', status: 400 },
    { what: 'bytes that are no text are 400', path, body: '\u0000\u0001', status: 400 },
    { what: 'no connection identifier is 400', path, body: '{"hello": "world"}', status: 400 },
    { what: 'an empty body without headers is 400', path, body: '', status: 400 },
    { what: 'an oversized body is 413', path, body: OVERSIZED, status: 413 },
    { what: 'SQL and script in every field are 401', path, ...unproven, status: 401 },
    ...(isGoogle
      ? [{ what: 'SQL as channel id is 401', path, headers: { 'x-goog-channel-id': SQL }, body: '', status: 401 }]
      : []),
    {
      what: 'SQL as connection id is 401',
      path,
      body: JSON.stringify({ connection_id: SQL, id: SCRIPT }),
      status: 401,
    },
  ];
}

function hostileHeaders(): Record<string, string> {
  const fields = ['channel-token', 'resource-id', 'resource-uri', 'message-number'];
  return {
    ...Object.fromEntries(fields.map((field) => [`x-goog-${field}`, SQL])),
    'x-goog-channel-id': 'nobody',
    'x-goog-resource-state': SCRIPT,
    'x-goog-channel-expiration': SCRIPT,
  };
}

/** Genuine, but about nobody: only who knows the secrets can play it. */
function ownCases(scene: Scene): BadCase[] {
  if (scene.target.owned === null) return [];
  const channelId = createChannelId(randomUUID());
  const headers = {
    'x-goog-channel-id': channelId,
    'x-goog-channel-token': channelSecret('google', channelId, channelSecretsOf(scene.owned)),
    'x-goog-resource-id': 'nobody',
    'x-goog-resource-state': 'exists',
    'x-goog-message-number': '2',
  };
  return [{ what: 'an unknown connection is 404', path: WEBHOOK_PATHS.google, headers, body: '', status: 404 }];
}

async function sawRejections(scene: Scene, requestIds: readonly string[]): Promise<void> {
  const logged = () =>
    requestIds.filter((id) =>
      scene.owned.lines.some(({ role, line }) => role === 'ingress' && line.includes(id) && line.includes('rejected')),
    ).length;
  await scene.until('the log to hold every rejection', () => logged() === requestIds.length);
  scene.notes.saw('[W-6] every rejection is logged', logged(), requestIds.length);
  const text = await (await fetch(`${scene.owned.urls.ingress}/metrics`)).text();
  const outcomes = ['unreadable', 'no_identifier', 'too_large', 'not_authentic', 'unknown'];
  const uncounted = outcomes.filter(
    (outcome) => !new RegExp(`calendar_webhooks_total\\{.*outcome="${outcome}"`).test(text),
  );
  scene.notes.saw('[W-6] every kind of rejection is counted', uncounted, []);
}
