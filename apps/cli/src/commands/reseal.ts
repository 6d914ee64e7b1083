import { loadSettings, pick } from '@bookiji/runtime';
import { resealTokens } from '@bookiji/sync';
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';
import { examples } from '../examples.ts';
import { EXIT } from '../exit-codes.ts';
import { logAfterwards } from '../operator-log.ts';

/** `reseal`: every stored token under the newest key. */
export function addResealCommand(program: Command, context: CommandContext): void {
  program
    .command('reseal')
    .description('seal every stored token under the first of TOKEN_ENCRYPTION_KEYS, so that older keys can go')
    .addHelpText(
      'after',
      `${examples(['reseal', 'may run while the fleet works, and again'])}\n\nExit 1 while a key other than the first is still needed.`,
    )
    .action(async () => {
      const { TOKEN_ENCRYPTION_KEYS: keys } = loadSettings(pick('TOKEN_ENCRYPTION_KEYS'), context.environment);
      const report = await context.withDatabase(async (handle) => {
        const [row] = await handle.sql`SELECT count(*)::int AS total FROM external_calendar_connections`;
        const bar = context.output.progress('re-sealing', Number(row?.total ?? 0));
        const done = await resealTokens({
          db: handle.db,
          keys,
          onProgress: ({ checkedCount }) => bar.show(checkedCount),
        });
        bar.end();
        return done;
      });
      const { checkedCount, resealedCount, unreadable, olderKeyIds } = report;
      if (resealedCount > 0) {
        const details = { resealed: resealedCount, unreadable: unreadable.length, older_key_ids: olderKeyIds };
        await logAfterwards(context, { action: 'tokens_resealed', subject: keys[0]?.id ?? '', details });
      }
      const document = {
        checked: checkedCount,
        resealed: resealedCount,
        unreadable: unreadable.map(({ connectionId, keyId }) => ({ connection_id: connectionId, key_id: keyId })),
        older_key_ids: olderKeyIds,
      };
      context.output.result(document, () =>
        [
          `${checkedCount} connection(s) checked, ${resealedCount} re-sealed under "${keys[0]?.id}"`,
          olderKeyIds.length === 0
            ? 'no older key is needed any more, except to restore a backup made before'
            : `still needed: ${olderKeyIds.join(', ')}`,
          ...unreadable.map(
            ({ connectionId, keyId }) => `${connectionId} asks for key "${keyId}": its owner must reconnect`,
          ),
        ].join('\n'),
      );
      if (olderKeyIds.length > 0) context.exit(EXIT.no);
    });
}
