import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until a condition holds, looking every few milliseconds.
 *
 * @throws after `timeoutMs`, saying what was waited for
 */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain until ${what}.`);
    await delay(10);
  }
}

/** A promise that the test settles: holds work up until it says so. */
export function gate<T = void>(): { readonly opened: Promise<T>; open(value: T): void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { opened: promise, open: resolve };
}
