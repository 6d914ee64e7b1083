/**
 * What `work` ends with, if it ends in time. Work that does not is left to itself, and whatever it ends with later is heard
 * by nobody.
 *
 * @throws Error of `message` when `ms` milliseconds are over; else whatever `work` throws.
 */
export async function withDeadline<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
