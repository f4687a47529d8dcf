// Flowdeck beside MLflow's own console: one MLflow, the same data, one table of ratios.

import { alone, signedIn } from '../lib/alone.mjs';
import { say } from '../lib/end.mjs';
import { median } from './figures.mjs';
import { EXPERIMENTS, FIRST_EXPERIMENT, FIRST_RUN, RUNS, fill } from './fill.mjs';
import { latency } from './latency.mjs';
import { visit } from './page.mjs';
import { bytes, cell, count, fine, table, whole } from './table.mjs';

const VISITS = 5;
const CALLS = 2000;

const EXPLANATION = `Ratios are Flowdeck's figure divided by MLflow's. Pages: medians of ${VISITS} visits, each with an empty cache, to
${EXPERIMENTS} experiments and ${RUNS} runs. Bytes are those on the wire; the heap is what is in use after a collection; WebAssembly's
memory is all that it has asked for, and its compiled code is in neither. Calls: ${CALLS} of each, one after the other, over
connections that stay open; a time below zero says that the machine's noise is larger than it.`;

await alone(async (flowdeck, browser) => {
  const admin = await flowdeck.admin();
  const mlflow = await flowdeck.mlflowUrl();
  say(`filling MLflow with ${EXPERIMENTS} experiments and ${RUNS} runs (half a minute)`);
  const experiment = await fill(admin);

  // Whoever measures is signed in before: here with a cookie, there with the header that MLflow knows.
  const session = await signedIn(browser, flowdeck.url, admin);
  const basic = { authorization: admin.authorization };
  const ours = { storageState: session };
  const theirs = { extraHTTPHeaders: basic };

  say(`opening both consoles ${VISITS} times (one to two minutes)`);
  const rows = [
    'The experiments',
    ...(await pages(FIRST_EXPERIMENT, [ours, `${flowdeck.url}/experiments`], [theirs, `${mlflow}/#/experiments`])),
    "An experiment's runs",
    ...(await pages(FIRST_RUN, [ours, `${flowdeck.url}/experiments/${experiment}`], [theirs, `${mlflow}/#/experiments/${experiment}/runs`])),
  ];

  say(`asking both for something small, ${CALLS} times (half a minute)`);
  const cookie = session.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const version = { url: `${mlflow}/version`, headers: basic };
  rows.push(
    'GET /version through the proxy, with a session',
    ...(await calls({ url: `${flowdeck.url}/version`, headers: { cookie } }, version)),
    'GET /version through the proxy, with name and password',
    ...(await calls({ url: `${flowdeck.url}/version`, headers: basic }, version)),
  );
  console.log(`\n${table(['', 'Flowdeck', 'MLflow', 'ratio'], rows)}\n\n${EXPLANATION}`);

  /**
   * Rows about one page of both.
   * @typedef {[import('playwright-core').BrowserContextOptions, string]} Place who opens it, and its address
   * @param {string} first the text of the first row @param {Place} flowdeckPlace @param {Place} mlflowPlace
   */
  async function pages(first, flowdeckPlace, mlflowPlace) {
    /** @type {import('./page.mjs').Visit[]} */
    const here = [];
    /** @type {import('./page.mjs').Visit[]} */
    const there = [];
    // In turn, so that what else the machine does falls on both.
    for (let round = 0; round < VISITS; round += 1) {
      here.push(await visit(browser, ...flowdeckPlace, first));
      there.push(await visit(browser, ...mlflowPlace, first));
    }
    /** @param {string} figure @param {(value: number) => string} unit @param {(visit: import('./page.mjs').Visit) => number} of */
    const row = (figure, unit, of) => beside(figure, unit, median(here.map(of)), median(there.map(of)));
    return [
      row('bytes transferred', bytes, (visit) => visit.bytes),
      row('requests', count, (visit) => visit.requests),
      row('first row visible after', whole, (visit) => visit.row),
      row('and listening after', whole, (visit) => visit.awake),
      row('JavaScript heap', bytes, (visit) => visit.heap),
      row('WebAssembly memory', bytes, (visit) => visit.memory),
      row('heap and memory together', bytes, (visit) => visit.heap + visit.memory),
    ];
  }
});

/** @param {import('./latency.mjs').Way} through @param {import('./latency.mjs').Way} direct */
async function calls(through, direct) {
  const took = await latency(through, direct, CALLS);
  const row = (/** @type {'median' | 'p99'} */ what) => [
    beside(what, fine, took.through[what], took.direct[what]),
    beside(`${what}, added`, fine, took.through[what] - took.direct[what]),
  ];
  return [...row('median'), ...row('p99')];
}

/** @param {string} figure @param {(value: number) => string} unit @param {number} flowdeck @param {number} [mlflow] nothing where there is nothing to measure */
function beside(figure, unit, flowdeck, mlflow) {
  return [figure, unit(flowdeck), cell(mlflow, unit), mlflow ? (flowdeck / mlflow).toPrecision(2) : '–'];
}
