// Waiting for a condition, never for a time.

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until the answer is yes.
 * @param {string} what @param {number} limit milliseconds @param {() => Promise<boolean>} ask
 */
export async function until(what, limit, ask) {
  const end = Date.now() + limit;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`it did not come true within ${limit / 1000} s: ${what}`);
    await sleep(50);
  }
}
