import { z } from 'zod';

/** One page of any list of Graph's. */
export interface ListPage {
  readonly value: readonly unknown[];
  readonly nextLink: string | null;
  /** Only on the last page of a change feed. */
  readonly deltaLink: string | null;
}

const pageShape = z.object({
  value: z.array(z.unknown()),
  '@odata.nextLink': z.string().min(1).nullable().catch(null),
  '@odata.deltaLink': z.string().min(1).nullable().catch(null),
});

/** @returns null when the body is no list. Pure. */
export function readPage(body: unknown): ListPage | null {
  const page = pageShape.safeParse(body).data;
  if (page === undefined) return null;
  return { value: page.value, nextLink: page['@odata.nextLink'], deltaLink: page['@odata.deltaLink'] };
}
