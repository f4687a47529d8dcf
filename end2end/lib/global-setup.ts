// Starts what hands out the shared Flowdecks, once for all workers.

import { Hub } from './hub.mjs';

/** Runs once, before any worker; what it returns runs at the end. */
export default async function setup() {
  const hub = new Hub();
  process.env.HUB = await hub.start();
  return () => hub.stop();
}
