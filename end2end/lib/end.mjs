// One piece of work, and its end: whatever was started goes away with it, also on Ctrl-C.

/**
 * Runs `work`, then `stop`, and ends the process: with 0, or with 1 and what went wrong.
 * @param {() => Promise<unknown>} work @param {() => Promise<unknown>} stop
 */
export async function untilEnd(work, stop) {
  /** @type {Promise<never>} */
  const interrupted = new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => reject(new Error(`interrupted (${signal})`)));
  });
  try {
    await Promise.race([work(), interrupted]);
    process.exitCode = 0;
  } catch (error) {
    process.exitCode = 1;
    console.error(`error: ${error instanceof Error ? error.message : error}`);
  } finally {
    await stop();
  }
  // What an interruption left behind of the work, a browser above all, ends here.
  process.exit();
}

/** What is being done, where the results are not. @param {string} what */
export function say(what) {
  console.error(`→ ${what}`);
}
