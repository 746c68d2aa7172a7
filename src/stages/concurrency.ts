/**
 * Calls `run` for every item, at most `limit` at a time; resolves when all are done.
 *
 * @throws the first error, after which no further item is begun
 */
export async function eachAtMost<T>(
  items: readonly T[],
  limit: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lane = async () => {
    for (const item of queue) await run(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
}
