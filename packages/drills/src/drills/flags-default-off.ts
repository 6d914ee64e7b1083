import type { Drill } from '../drill.ts';
import { connectProvider } from '../scene/connect.ts';
import { openNotifier, postHook, WEBHOOK_PATHS } from '../scene/notifier.ts';
import { readConnection, readWhenQuiet } from '../scene/rows.ts';
import type { Scene } from '../scene/scene.ts';
import { createOpsClient } from '../target/ops-client.ts';

const FLAGS = ['CALENDAR_SYNC_ENABLED', 'CALENDAR_OAUTH_ENABLED', 'CALENDAR_JOBS_ENABLED', 'CALENDAR_WEBHOOK_ENABLED'];
const NONE = Object.fromEntries(FLAGS.map((flag) => [flag, '']));
/** Everything that looks like yes and is not `true`. */
const NEARLY = Object.fromEntries(FLAGS.map((flag, index) => [flag, ['TRUE', '1', 'yes', 'on'][index] ?? '']));

export const flagsDefaultOff: Drill = {
  name: 'flags-default-off',
  title: 'Without the word true in the environment every entry is closed',
  proves: ['F-1'],
  needs: ['sandbox', 'owned'],
  phase: 'calm',
  async run(scene) {
    const provider = await connectProvider(scene, 'google');
    const before = await readWhenQuiet(scene, provider.connectionId);
    const notifier = await openNotifier(scene, provider);
    for (const [what, flags] of Object.entries({ 'no flag at all': NONE, 'TRUE, 1, yes and on': NEARLY })) {
      const beside = await scene.owned.startBeside('ingress', flags);
      scene.cleanUp(`ingress with ${what}`, () => beside.stop());
      const statuses = await knockEverywhere(scene, beside.url, provider.providerId);
      const genuine = (await notifier.send(1, {}, beside.url)).status;
      scene.notes.saw(`[F-1] ${what}: every entry answers 403`, [...new Set([...statuses, genuine])], [403]);
      scene.notes.did(`knocked at every entry of an ingress with ${what}`, { entries: statuses.length + 1 });
    }
    const after = await readConnection(scene, provider.connectionId);
    scene.notes.saw('[F-1] nothing was written', after, before);
    const ops = await scene.owned.startBeside('ops', NEARLY);
    scene.cleanUp('ops with flags off', () => ops.stop());
    const token = scene.owned.environment.OPS_TOKENS?.split(',')[0] ?? '';
    const client = createOpsClient(ops.url, token);
    const off = Object.fromEntries(FLAGS.map((flag) => [flag, false]));
    const sorted = (flags: object) => Object.fromEntries(Object.entries(flags).sort());
    scene.notes.saw('[F-1] operators read four times off', sorted(await client.flags()), sorted(off));
    const widened = await client.setFlags(Object.fromEntries(FLAGS.map((flag) => [flag, true])));
    scene.notes.saw('[F-1] no operator can turn on what the environment does not', sorted(widened), sorted(off));
  },
};

async function knockEverywhere(scene: Scene, url: string, providerId: string): Promise<number[]> {
  const token = scene.owned.environment.API_TOKENS?.split(',')[0] ?? '';
  const post = (path: string, body: unknown) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const answers = [
    await post('/api/calendar/sync', { provider_id: providerId }),
    await post('/api/calendar/connect-links', { provider_id: providerId, calendar_provider: 'google' }),
    ...(await Promise.all(
      ['google', 'microsoft'].flatMap((at) => [
        fetch(`${url}/api/auth/${at}/calendar?token=none`, { redirect: 'manual' }),
        fetch(`${url}/api/auth/${at}/calendar/callback?state=none&code=none`, { redirect: 'manual' }),
      ]),
    )),
    await postHook(`${url}${WEBHOOK_PATHS.microsoft}?validationToken=token`, {}),
    await postHook(`${url}${WEBHOOK_PATHS.microsoft}`, {}, '{}'),
  ];
  return answers.map(({ status }) => status);
}
