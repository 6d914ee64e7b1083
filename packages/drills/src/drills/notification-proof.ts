import { randomBytes } from 'node:crypto';
import type { Drill } from '../drill.ts';
import { connectProvider, type DrilledProvider } from '../scene/connect.ts';
import { channelSecretsOf } from '../scene/keep-credentials.ts';
import { openNotifier, postHook, WEBHOOK_PATHS } from '../scene/notifier.ts';
import { readConnection } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';

export const notificationProof: Drill = {
  name: 'notification-proof',
  title: 'A notification is taken only with the proof that its calendar provider was given, secrets rotate',
  proves: ['W-1', 'W-2'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    const google = await connectProvider(scene, 'google');
    const other = await connectProvider(scene, 'google');
    await playGoogle(scene, google, other);
    const microsoft = await connectProvider(scene, 'microsoft');
    await playMicrosoft(scene, microsoft);
    await playRotation(scene, google, microsoft);
  },
};

async function playGoogle(scene: Scene, provider: DrilledProvider, other: DrilledProvider): Promise<void> {
  const { notes } = scene;
  const notifier = await openNotifier(scene, provider);
  const foreign = await openNotifier(scene, other);
  const before = await readConnection(scene, provider.connectionId);
  const refused: readonly [string, Record<string, unknown>][] = [
    ['a wrong token', { 'x-goog-channel-token': randomBytes(32).toString('base64url') }],
    ['no token', { 'x-goog-channel-token': undefined }],
    ["another channel's token", { 'x-goog-channel-token': foreign.proof }],
    ["another channel's resource", { 'x-goog-resource-id': foreign.remoteId }],
    ['a token cut short', { 'x-goog-channel-token': notifier.proof.slice(0, -1) }],
  ];
  for (const [index, [what, over]] of refused.entries()) {
    const { status } = await notifier.send(index, over);
    notes.saw(`[W-2] google: ${what} is refused`, status, 401);
  }
  const after = await readConnection(scene, provider.connectionId);
  notes.saw('[W-2] google: nothing was written for any of them', after.requested, before.requested);
  const accepted = await notifier.send(50);
  notes.saw(
    '[W-1] google: the route takes a genuine notification',
    [accepted.status, accepted.body],
    [200, { processed: true, connection_id: provider.connectionId }],
  );
  const handshake = await notifier.send(51, { 'x-goog-resource-state': 'sync' });
  notes.saw(
    '[W-2] google: the handshake is answered',
    [handshake.status, handshake.body],
    [200, { processed: true, reason: 'sync' }],
  );
}

async function playMicrosoft(scene: Scene, provider: DrilledProvider): Promise<void> {
  const { notes } = scene;
  const token = `Validation: ${randomBytes(8).toString('hex')} <&>`;
  const url = `${scene.ingress.url}${WEBHOOK_PATHS.microsoft}?validationToken=${encodeURIComponent(token)}`;
  const handshake = await postHook(url, {});
  notes.saw(
    '[W-2] microsoft: the validation token is given back',
    [handshake.status, handshake.text === token],
    [200, true],
  );
  const notifier = await openNotifier(scene, provider);
  const forged = `${notifier.channelId}.${randomBytes(32).toString('base64url')}`;
  for (const [what, over] of [
    ['a forged clientState', { clientState: forged }],
    ['no clientState', { clientState: undefined }],
  ] as const) {
    const { status } = await notifier.send(0, over);
    notes.saw(`[W-2] microsoft: ${what} is refused`, status, 401);
  }
  const accepted = await notifier.send(1);
  notes.saw(
    '[W-1] microsoft: the route takes a genuine notification',
    [accepted.status, accepted.body.accepted],
    [200, 1],
  );
  const lifecycle = await notifier.send(2, { lifecycleEvent: 'missed', changeType: undefined });
  notes.saw('[W-2] microsoft: a lifecycle notification is taken', lifecycle.status, 200);
}

/** Two ingress beside the fleet's: one that signs with a new secret and still takes the old, one without the old. */
async function playRotation(scene: Scene, ...providers: readonly DrilledProvider[]): Promise<void> {
  const fresh = scene.target.privateWords.keep('secret', randomBytes(24).toString('base64url'));
  const rotating = [fresh, ...channelSecretsOf(scene.owned)].join(',');
  const during = await scene.owned.startBeside('ingress', { CHANNEL_SECRETS: rotating });
  scene.cleanUp('ingress with both secrets', () => during.stop());
  const after = await scene.owned.startBeside('ingress', { CHANNEL_SECRETS: fresh });
  scene.cleanUp('ingress with the new secret alone', () => after.stop());
  scene.notes.did('started ingress with a new secret before the old one, and one with the new secret alone');
  for (const provider of providers) {
    const old = await openNotifier(scene, provider);
    const statuses = [
      (await old.send(100, {}, during.url)).status,
      (await old.send(101, {}, after.url)).status,
      (await (await openNotifier(scene, provider, [fresh])).send(102, {}, during.url)).status,
    ];
    scene.notes.saw(
      `[W-2] ${provider.calendar.calendarProvider}: old proof during and after the rotation, new proof during it`,
      statuses,
      [200, 401, 200],
    );
  }
}
