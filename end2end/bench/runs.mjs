// The table of all runs: how long the page is busy for a key, a sort or a regrouping, how it scrolls, what it takes; and how soon it is there,
// beside MLflow's own.

import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { alone, signedIn } from '../lib/alone.mjs';
import { say } from '../lib/end.mjs';
import { places } from '../lib/flowdeck.mjs';
import { median } from './figures.mjs';
import { visit } from './page.mjs';
import { aim, bytes, megabytes, table, whole } from './table.mjs';

const MANY = Number(process.env.BENCH_RUNS ?? 100_000);
/** What to measure; all, where nothing is said. */
const PARTS = (process.env.BENCH_PARTS ?? 'ten,cold,wide,shape,most').split(',');
const LIMIT = 900_000;
const QUERY = "metrics.`metric/00001` > 5 and params.`param-001` = 'adam'";

const EXPLANATION = `Busy: what the page's main thread worked, by Chromium's own count, for one action and all that it causes; the largest of
them. Memory of the tab: what its process has for itself. Beside MLflow: medians of 3 visits with an empty cache,
to an experiment that somebody has looked at before.`;

const run = promisify(execFile);

await alone(async (flowdeck, browser) => {
  const admin = await flowdeck.admin();
  const mlflow = await flowdeck.mlflowUrl();
  const folder = join(flowdeck.folder, 'data/mlflow');
  const file = readdirSync(folder).find((name) => name.endsWith('.db') && !name.includes('auth'));
  if (!file) throw new Error(`there is no database in ${folder}`);
  const state = await signedIn(browser, flowdeck.url, admin);

  /** @param {string} name @param {number} runs @param {number} metrics @param {number} params @param {number} tags */
  async function fill(name, runs, metrics, params, tags) {
    say(`making ${runs} runs with ${metrics} metrics, ${params} params, ${tags} tags`);
    const experiment = await admin.experiment(name);
    const script = join(dirname(fileURLToPath(import.meta.url)), 'many.py');
    await run(places.python, [script, join(folder, file ?? ''), experiment, ...[runs, metrics, params, tags].map(String)]);
    return experiment;
  }

  /** Opens the table and waits until all runs are in it and looked at. @param {string} experiment @param {string} [query] */
  async function open(experiment, query = '') {
    const context = await browser.newContext({ storageState: state, viewport: { width: 1440, height: 900 } });
    await context.addInitScript(() => {
      window.tasks = [];
      new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.tasks.push(duration))).observe({ entryTypes: ['longtask'] });
    });
    const page = await context.newPage();
    page.setDefaultTimeout(LIMIT);
    const devtools = await context.newCDPSession(page);
    await devtools.send('Performance.enable');
    let answered = 0;
    page.on('requestfinished', (request) => {
      if (/\/runs\/(search|page)$/.test(request.url())) answered = Date.now();
    });
    const begin = Date.now();
    await page.goto(`${flowdeck.url}/experiments/${experiment}${query}`);
    await page.locator('.statusbar', { hasText: /^All .*( are here|, as seen )/ }).waitFor();
    const took = Date.now() - begin;
    await page.locator('.statusbar', { hasText: /^All .* are here/ }).waitFor();
    const after = Math.max(0, Date.now() - answered);
    await sleep(1500);
    const busy = async () => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0) * 1000;
    };
    /** What `action` costs the main thread, ms. @param {() => Promise<unknown>} action */
    const cost = async (action) => {
      const before = await busy();
      await action();
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30))));
      return (await busy()) - before;
    };
    /** The longest task of what `action` does, 0 where none was over 50 ms. @param {() => Promise<unknown>} action */
    const longest = async (action) => {
      await page.evaluate(() => (window.tasks.length = 0));
      await action();
      await sleep(300);
      return page.evaluate(() => Math.max(0, ...window.tasks));
    };
    return { page, context, cost, longest, took, after };
  }

  /**
   * What a tab with all runs has for itself, in bytes. Nobody may hear of its calls: for whoever does Chromium keeps what was answered, 200 MB of it.
   * @param {string} experiment @param {string} [query]
   */
  async function memory(experiment, query = '') {
    const devtools = await browser.newBrowserCDPSession();
    const { browserContextId } = await devtools.send('Target.createBrowserContext');
    const cookies = state.cookies.map(({ name, value, domain, path }) => ({ name, value, domain, path }));
    await devtools.send('Storage.setCookies', { browserContextId, cookies });
    const url = `${flowdeck.url}/experiments/${experiment}${query}`;
    const { targetId } = await devtools.send('Target.createTarget', { url, browserContextId, width: 1440, height: 900 });
    const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false });
    /** @param {string} expression @returns {Promise<string>} */
    const ask = (expression) =>
      new Promise((done) => {
        devtools.once('Target.receivedMessageFromTarget', ({ message }) => done(JSON.parse(message).result?.result?.value ?? ''));
        const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
        void devtools.send('Target.sendMessageToTarget', { sessionId, message });
      });
    const end = Date.now() + LIMIT;
    while (!/^All .* are here/.test(await ask("document.querySelector('.statusbar')?.textContent"))) {
      if (Date.now() > end) throw new Error('not all runs came');
      await sleep(500);
    }
    await sleep(1500);
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => {
      const rollup = readFileSync(`/proc/${id}/smaps_rollup`, 'utf8');
      const own = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB/gm)];
      return own.reduce((sum, [, size]) => sum + Number(size) * 1000, 0);
    });
    await devtools.send('Target.disposeBrowserContext', { browserContextId });
    await devtools.detach();
    return Math.max(...sizes);
  }

  /** @param {import('playwright-core').Page} page */
  const keys = (page) => async (/** @type {string} */ letter) =>
    page.evaluate((letter) => {
      const input = document.querySelector('#query');
      if (!(input instanceof HTMLInputElement)) throw new Error('there is no query line');
      input.value += letter;
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    }, letter);

  /** @type {(string[] | string)[]} */
  const rows = [];
  /** @param {string} what @param {number} value @param {(value: number) => string} unit @param {number} [target] */
  const row = (what, value, unit, target) => rows.push([what, unit(value), target === undefined ? '' : aim(`≤ ${unit(target)}`, value <= target)]);

  /** Keys, sorts and groups. @param {string} experiment @param {number} target */
  async function act(experiment, target) {
    const { page, context, cost, longest, took } = await open(experiment);
    const press = keys(page);
    /** @type {number[]} */
    const typed = [];
    for (const letter of QUERY) typed.push(await cost(() => press(letter)));
    await page.evaluate(() => {
      const input = /** @type {HTMLInputElement} */ (document.querySelector('#query'));
      input.value = '';
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    });
    await sleep(1500);
    const sorts = [];
    for (const column of ['m:metric/00000', 'm:metric/00000', 'status', 'start']) {
      // A locator's own search would be counted.
      const click = (/** @type {string} */ column) => {
        const link = document.querySelector(`th[data-column="${column}"] a`);
        if (!(link instanceof HTMLElement)) throw new Error(`there is no column ${column}`);
        link.click();
      };
      sorts.push(await cost(() => page.evaluate(click, column)));
    }
    const scroll = await longest(() =>
      page.locator('.grid-scroll.sheet').evaluate(async (frame) => {
        for (let step = 0; step < 120; step += 1) {
          frame.scrollTop += step % 10 === 9 ? 20_000 : 700;
          await new Promise((done) => requestAnimationFrame(done));
        }
      }),
    );
    const groups = [];
    for (const by of ['p:param-001', 'p:param-002', 'p:param-001,p:param-003']) {
      groups.push(
        await cost(() =>
          page.evaluate((by) => {
            const link = document.createElement('a');
            link.href = `${location.pathname}?group=${encodeURIComponent(by)}`;
            link.dataset.noscroll = '';
            document.querySelector('main')?.append(link);
            link.click();
            link.remove();
          }, by),
        ),
      );
    }
    row('all runs are here after', took, whole);
    row('busy for a key of the query, at most', Math.max(...typed), whole, target);
    row('busy for a key of the query, median', median(typed), whole);
    row('busy for a sort, at most', Math.max(...sorts), whole, target);
    row('busy for a regrouping, at most', Math.max(...groups), whole, target);
    row('longest task while scrolling down', scroll, whole, 50);
    await context.close();
    row('memory of the tab', await memory(experiment), megabytes, 400e6);
    const again = await open(experiment);
    row('all runs are here after, where somebody has looked before', again.took, whole);
    await again.context.close();
  }

  if (PARTS.includes('ten')) {
    const middle = await fill('ten-thousand', 10_000, 40, 10, 0);
    rows.push('10 000 runs, 50 columns');
    await act(middle, 16);
  }

  if (PARTS.includes('cold')) {
    const five = await fill('five-thousand', 5000, 10, 5, 0);
    const name = 'trial-004999';
    const first = await open(five);
    await first.context.close();
    const other = await fill('five-thousand-others', 5000, 10, 5, 0);
    const alone = await visit(browser, { storageState: state }, `${flowdeck.url}/experiments/${other}`, name);
    const ours = [];
    const theirs = [];
    const all = [];
    for (let round = 0; round < 3; round += 1) {
      ours.push(await visit(browser, { storageState: state }, `${flowdeck.url}/experiments/${five}`, name));
      theirs.push(await visit(browser, { extraHTTPHeaders: { authorization: admin.authorization } }, `${mlflow}/#/experiments/${five}/runs`, name));
      const { context, took } = await open(five);
      all.push(took);
      await context.close();
    }
    const of = (/** @type {import('./page.mjs').Visit[]} */ visits, /** @type {(visit: import('./page.mjs').Visit) => number} */ which) => median(visits.map(which));
    rows.push("5000 runs, cold; the aim is a part of MLflow's own");
    row("MLflow's first row visible after", of(theirs, (visit) => visit.row), whole);
    row('first row visible after', of(ours, (visit) => visit.row), whole, of(theirs, (visit) => visit.row) / 5);
    row('all runs sortable after', median(all), whole, of(theirs, (visit) => visit.row));
    row('and where nobody has looked in the last half hour', first.took, whole, of(theirs, (visit) => visit.row));
    row("MLflow's bytes", of(theirs, (visit) => visit.bytes), bytes);
    row('bytes', of(ours, (visit) => visit.bytes), bytes, of(theirs, (visit) => visit.bytes) / 8);
    row('and where nobody has looked in the last half hour', alone.bytes, bytes, of(theirs, (visit) => visit.bytes) / 8);
    row("MLflow's JavaScript heap", of(theirs, (visit) => visit.heap), bytes);
    row('JavaScript heap', of(ours, (visit) => visit.heap), bytes, of(theirs, (visit) => visit.heap) / 2);
    row('and WebAssembly memory', of(ours, (visit) => visit.memory), bytes);
  }

  if (PARTS.includes('wide')) {
    const wide = await fill('wide', 40, 12_000, 0, 0);
    rows.push('40 runs, 12 000 columns');
    const { page, context, longest, took } = await open(wide, '?only=differing');
    const across = await longest(() =>
      page.locator('.grid-scroll.sheet').evaluate(async (frame) => {
        for (let step = 0; step < 120; step += 1) {
          frame.scrollLeft += step % 10 === 9 ? 50_000 : 900;
          await new Promise((done) => requestAnimationFrame(done));
        }
      }),
    );
    row('all runs are here after', took, whole);
    row('longest task while scrolling across', across, whole, 50);
    await context.close();
    row('memory of the tab', await memory(wide, '?only=differing'), megabytes);
  }

  if (PARTS.includes('shape')) {
    const shape = await fill('many-metrics', 1500, 1500, 150, 50);
    rows.push('1500 runs with 1500 metrics, 150 params, 50 tags');
    const { context, took, after } = await open(shape);
    row('all runs are here after', took, whole);
    row("and after MLflow's last answer", after, whole, 2000);
    await context.close();
    row('memory of the tab', await memory(shape), megabytes, 300e6);
  }

  if (PARTS.includes('most')) {
    const most = await fill('most', MANY, 40, 10, 0);
    rows.push(`${MANY} runs, 50 columns`);
    await act(most, 100);
  }
  console.log(`\n${table(['', 'Flowdeck', 'aim'], rows)}\n\n${EXPLANATION}`);
});
