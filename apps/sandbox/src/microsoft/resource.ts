/** JSON objects as Graph gives and takes them. */
export type Resource = Record<string, unknown>;
export type Body = Readonly<Resource>;
