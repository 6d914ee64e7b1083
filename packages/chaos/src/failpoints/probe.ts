/**
 * Preloaded (`--import`) into processes of a chaos run, never by anything else: the product holds no failpoint. While
 * sources are loaded, the functions of `probed-functions.ts` are wrapped; a wrapped call strikes its own process when an
 * order says so, and costs one look-up otherwise.
 */
import { writeSync } from 'node:fs';
import { registerHooks } from 'node:module';
import type { CalendarSession } from '@bookiji/providers/contract';
import { PROBED_CALLS, PROBED_FUNCTIONS, PROBED_PORTS } from './probed-functions.ts';
import { type ProbeOrder, type ProbeReport, writeReport } from './protocol.ts';
import { SHORT_LEASES } from './short-leases.ts';

if (process.env.NODE_ENV === 'production' || process.env.NODE_ENV === undefined) {
  process.stderr.write('the probe of the chaos run is not for production\n');
  process.exit(1);
}

type Arm = Extract<ProbeOrder, { do: 'arm' }>;
type AnyCall = (...parameters: readonly unknown[]) => unknown;
type AnyObject = Record<string, unknown>;

const armed = new Map<string, readonly Arm[]>();
/** The calls under way, each by an object of its own. */
const underway = new Set<object>();
/** Per order that stopped this process: the calls that were under way then and are not over yet. */
const unsettled = new Map<string, Set<object>>();

process.on('message', (order: ProbeOrder) => {
  if (order.do === 'arm') {
    armed.set(order.point, [...(armed.get(order.point) ?? []), order]);
    report({ what: 'armed', id: order.id });
  } else {
    for (const [point, arms] of armed) {
      const others = arms.filter(({ id }) => id !== order.id);
      if (others.length > 0) armed.set(point, others);
      else armed.delete(point);
    }
  }
});

function report(line: ProbeReport): void {
  writeSync(2, writeReport(line));
}

/** Strikes when this point is armed for such a call; once per order. */
function reach(point: string, parameters: readonly unknown[], context: string): void {
  const arm = armed.get(point)?.find(({ match }) => isMeant(match, parameters, context));
  if (arm === undefined) return;
  armed.set(
    point,
    (armed.get(point) ?? []).filter((other) => other !== arm),
  );
  report({ what: 'hit', id: arm.id, point, action: arm.strike });
  if (arm.strike === 'tell') return;
  // The process does not run on from here before somebody sends SIGCONT.
  process.kill(process.pid, arm.strike === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  report({ what: 'released', id: arm.id });
  unsettled.set(arm.id, new Set(underway));
}

function isMeant(match: string | null, parameters: readonly unknown[], context: string): boolean {
  return match === null || context.includes(match) || mentions(parameters, match, 4);
}

function settle(call: object): void {
  underway.delete(call);
  for (const [id, calls] of unsettled) {
    if (!calls.delete(call) || calls.size > 0) continue;
    unsettled.delete(id);
    report({ what: 'settled', id });
  }
}

function mentions(value: unknown, text: string, depth: number): boolean {
  if (typeof value === 'string') return value.includes(text);
  if (typeof value !== 'object' || value === null || depth === 0) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && !Array.isArray(value)) return false;
  return Object.values(value).some((part) => mentions(part, text, depth - 1));
}

async function around(name: string, call: AnyCall, parameters: readonly unknown[], context = ''): Promise<unknown> {
  const one = {};
  underway.add(one);
  try {
    reach(`${name}.before`, parameters, context);
    const result = await call(...parameters);
    reach(`${name}.after`, parameters, context);
    return result;
  } finally {
    settle(one);
  }
}

/** An adapter opens ports; the calls of a port are told apart by their connection. */
function wrapMaker(made: AnyObject): AnyObject {
  if (typeof made.open !== 'function') return wrapCalls(made, '');
  const open = made.open as AnyCall;
  return {
    ...made,
    open: (session: CalendarSession) => wrapCalls(open(session) as AnyObject, session.connectionId),
  };
}

function wrapCalls(port: AnyObject, context: string): AnyObject {
  const wrapped = { ...port };
  for (const name of PROBED_CALLS) {
    const call = port[name];
    if (typeof call !== 'function') continue;
    wrapped[name] = (...parameters: readonly unknown[]) =>
      around(`call.${name}`, (call as AnyCall).bind(port), parameters, context);
  }
  return wrapped;
}

Object.assign(globalThis, { bookijiProbe: { around, wrapMaker } });

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const [file, names] = Object.entries(PROBED_FUNCTIONS).find(([path]) => url.endsWith(path)) ?? [];
    const [portFile, maker] = Object.entries(PROBED_PORTS).find(([path]) => url.endsWith(path)) ?? [];
    const [leaseFile, leases] = Object.entries(SHORT_LEASES).find(([path]) => url.endsWith(path)) ?? [];
    if (file === undefined && portFile === undefined && leaseFile === undefined) return loaded;
    let source = String(loaded.source);
    for (const [stands, becomes] of leases ?? []) source = replaceText(source, stands, becomes);
    for (const name of names ?? []) source = wrapSource(source, name, `around('${name}', ${name}Unprobed, parameters)`);
    if (maker !== undefined) source = wrapSource(source, maker, `wrapMaker(${maker}Unprobed(...parameters))`);
    return { ...loaded, source };
  },
});

function replaceText(source: string, stands: string, becomes: string): string {
  if (!source.includes(stands)) throw new Error(`the probe does not find ${stands}; see short-leases.ts`);
  return source.replace(stands, becomes);
}

function wrapSource(source: string, name: string, body: string): string {
  const head = new RegExp(`^export ((?:async )?function )${name}\\b`, 'm');
  if (!head.test(source)) throw new Error(`the probe does not find ${name}; see probed-functions.ts`);
  const wrapper = `export function ${name}(...parameters) { return globalThis.bookijiProbe.${body}; }`;
  return `${source.replace(head, `$1${name}Unprobed`)}\n${wrapper}\n`;
}
