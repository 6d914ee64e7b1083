import { MODEL_STATEMENTS } from '../src/store/model-statements.ts';

/**
 * What `@bookiji/db` exports, with the model's statements in place of its own. What the model does not have is refused when
 * it is called, so that no story can leave the simulation unnoticed.
 */
export function refuseOtherStatements(real: object): Readonly<Record<string, unknown>> {
  const refused = Object.fromEntries(
    Object.entries(real).map(([name, value]) => [name, isClass(value) ? value : () => refuse(name)]),
  );
  return { ...refused, ...MODEL_STATEMENTS };
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && value.toString().startsWith('class');
}

function refuse(name: string): never {
  throw new Error(`${name} is not part of the simulation`);
}
