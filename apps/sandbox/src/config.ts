import { type Environment, fields, loadSettings } from '@bookiji/runtime';
import { z } from 'zod';

export function readConfig(environment: Environment) {
  const { SANDBOX_PORT: port, SANDBOX_HOST: host } = loadSettings(
    { SANDBOX_PORT: fields.SANDBOX_PORT, SANDBOX_HOST: z.string().min(1).default('127.0.0.1') },
    environment,
  );
  return { port, host };
}
