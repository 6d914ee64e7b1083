import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { CalendarProvider } from '@bookiji/local-fleet';
import type { Drill } from '../drill.ts';
import { connectProvider } from '../scene/connect.ts';
import { openNotifier, postHook, WEBHOOK_PATHS } from '../scene/notifier.ts';
import type { Scene } from '../scene/scene.ts';

const HEADERS = { google: 'x-goog-signature', microsoft: 'x-microsoft-graph-signature' } as const;

export const signedBodies: Drill = {
  name: 'signed-bodies',
  title: 'Behind a signing relay every body needs its signature',
  proves: ['W-3'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    const secret = scene.target.privateWords.keep('secret', randomBytes(24).toString('base64url'));
    const relayed = await scene.owned.startBeside('ingress', {
      GOOGLE_CALENDAR_WEBHOOK_SECRET: secret,
      MICROSOFT_CALENDAR_WEBHOOK_SECRET: secret,
    });
    scene.cleanUp('ingress with signing secrets', () => relayed.stop());
    scene.notes.did('started ingress with signing secrets beside the fleet');
    for (const at of ['google', 'microsoft'] as const) await playAt(scene, at, relayed.url, secret);
  },
};

async function playAt(scene: Scene, at: CalendarProvider, ingressUrl: string, secret: string): Promise<void> {
  const provider = await connectProvider(scene, at);
  const url = `${ingressUrl}${WEBHOOK_PATHS[at]}`;
  const body = JSON.stringify({ connection_id: provider.connectionId, id: randomUUID() });
  const sign = (text: string) => createHmac('sha256', secret).update(text).digest('hex');
  const send = (text: string, signature: string | undefined) =>
    postHook(url, { 'content-type': 'application/json', [HEADERS[at]]: signature }, text);
  const statuses = {
    valid: (await send(body, sign(body))).status,
    repeated: (await send(body, sign(body))).body.reason,
    missing: (await send(body, undefined)).status,
    wrong: (await send(body, sign(`${body} `))).status,
    other_secret: (await send(body, createHmac('sha256', `${secret}x`).update(body).digest('hex'))).status,
    not_hex: (await send(body, 'signature')).status,
    empty_body: (await send('', sign(''))).status,
  };
  scene.notes.saw(`[W-3] ${at}: valid, repeated, missing, wrong, by another secret, no hex, empty body`, statuses, {
    valid: 200,
    repeated: 'duplicate',
    missing: 401,
    wrong: 401,
    other_secret: 401,
    not_hex: 401,
    empty_body: 400,
  });
  const native = await (await openNotifier(scene, provider)).send(1, {}, ingressUrl);
  scene.notes.saw(`[W-3] ${at}: the native proof alone is not enough`, native.status, 401);
}
