// One visit with nothing in the cache: what it transfers, when the first row can be seen, what stays in memory.

import { setTimeout as sleep } from 'node:timers/promises';

/** A page is settled when its row is there and so long nothing was asked of the network (ms). */
const QUIET = 1000;
const LIMIT = 60_000;

/**
 * @typedef {object} Visit
 * @property {number} bytes as they went over the wire, headers included
 * @property {number} requests with the document, and redirects each
 * @property {number} row from the start of the navigation until the row was painted, ms
 * @property {number} awake until the page also listens, ms; a row that a script made listens at once
 * @property {number} heap JavaScript's, in use after a collection
 * @property {number} memory WebAssembly's, all that it has asked for
 */

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} who what signs the visitor in
 * @param {string} url @param {string} row the text of the link whose sight is waited for
 * @returns {Promise<Visit>}
 */
export async function visit(browser, who, url, row) {
  // A new context has a cache and a renderer of its own, both empty.
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...who });
  try {
    await context.addInitScript(watch, row);
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    const network = await traffic(devtools);
    await page.goto(url, { waitUntil: 'commit' });
    const end = Date.now() + LIMIT;
    for (;;) {
      const seen = await page.evaluate(() => window.seen);
      if (seen?.row !== undefined && seen.awake !== undefined && network.isQuiet()) {
        const { bytes, requests } = network;
        return { bytes, requests, row: seen.row, awake: Math.max(seen.row, seen.awake), ...(await memory(devtools)) };
      }
      if (Date.now() > end) {
        const why = seen?.row === undefined ? `no row “${row}” was to be seen` : seen.awake === undefined ? 'its script had not taken over' : 'it was still loading';
        throw new Error(`${url}: ${why} after ${LIMIT / 1000} s`);
      }
      await sleep(100);
    }
  } finally {
    await context.close();
  }
}

/** Counts what goes over the network. @param {import('playwright-core').CDPSession} devtools */
async function traffic(devtools) {
  const open = new Set();
  const network = { bytes: 0, requests: 0, last: Date.now(), isQuiet: () => open.size === 0 && Date.now() - network.last > QUIET };
  devtools.on('Network.requestWillBeSent', ({ requestId, loaderId, request, redirectResponse, type }) => {
    if (!/^https?:/.test(request.url)) return;
    // What no document loads is a worker's own script. Its end and its bytes are told to the worker and not here.
    // A stream of events stays open.
    if (loaderId && type !== 'EventSource') open.add(requestId);
    network.requests += 1;
    // A redirect has no end of its own.
    network.bytes += redirectResponse?.encodedDataLength ?? 0;
    network.last = Date.now();
  });
  const ended = (/** @type {string} */ id, bytes = 0) => {
    if (!open.delete(id)) return;
    network.bytes += bytes;
    network.last = Date.now();
  };
  devtools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => ended(requestId, encodedDataLength));
  devtools.on('Network.loadingFailed', ({ requestId }) => ended(requestId));
  await devtools.send('Network.enable');
  return network;
}

/** What is in use after everything that nobody needs was collected. @param {import('playwright-core').CDPSession} devtools */
async function memory(devtools) {
  await devtools.send('HeapProfiler.enable');
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('Performance.enable');
  const { metrics } = await devtools.send('Performance.getMetrics');
  const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value;
  if (heap === undefined) throw new Error('Chromium does not tell the size of the heap');
  // The heap has only the handle of a WebAssembly memory; the memory itself lies outside.
  const { result } = await devtools.send('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId: result.objectId ?? '' });
  const sum = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId,
    functionDeclaration: 'function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0) }',
    returnByValue: true,
  });
  return { heap, memory: Number(sum.result.value) };
}

/** Runs in the page, before its own scripts: looks at every frame that is painted. @param {string} row */
function watch(row) {
  if (window !== window.top) return;
  /** @type {{ row?: number, awake?: number }} */
  const seen = (window.seen = {});
  const isVisible = (/** @type {Element} */ element) => {
    const { top, left, width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 && top < innerHeight && left < innerWidth && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const look = () => {
    if (seen.row === undefined) {
      const link = [...document.links].find((link) => link.textContent?.trim() === row);
      // This runs before the frame is painted; the next one begins after it.
      if (link && isVisible(link)) requestAnimationFrame(() => (seen.row ??= performance.now()));
    }
    // Flowdeck's document comes with its rows and says when its script listens; any other is its script's own work.
    const { dataset } = document.documentElement;
    if (seen.row !== undefined && ('awake' in dataset || !('site' in dataset))) seen.awake ??= performance.now();
    if (seen.awake === undefined) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
