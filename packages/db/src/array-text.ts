/** Texts, and gaps, as PostgreSQL writes an array of them: read there in less than half the time that json takes. */
export function toArrayText(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`;
}
