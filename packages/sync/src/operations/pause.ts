/** Pausing one connection and letting it go on: its switch is turned, and nothing that waits is lost. */
import { type Database, findConnection, turnSwitches } from '@bookiji/db';
import type { Wish } from './bells.ts';

/**
 * Nothing is rung: a worker would still ask the switch as it was a moment ago. The sweep takes up what waits.
 *
 * @param turn `switchName` is what the flags call the connection's switch.
 * @returns false when there is no such connection.
 */
export async function turnConnection(
  db: Database,
  connectionId: string,
  turn: Wish & { readonly switchName: string; readonly isOn: boolean },
): Promise<boolean> {
  if ((await findConnection(db, connectionId)) === null) return false;
  const { switchName, isOn, actor, reason } = turn;
  await turnSwitches(db, [{ name: switchName, isOn, changedBy: actor, reason }]);
  return true;
}
