// The owner's rooms before an MLflow with many people: how soon lists and searches are answered, how old what they tell is, and how the matrix
// of all permissions scrolls.

import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { alone, signedIn } from '../lib/alone.mjs';
import { say } from '../lib/end.mjs';
import { places } from '../lib/flowdeck.mjs';
import { median } from './figures.mjs';
import { aim, bytes, seconds, table, whole } from './table.mjs';

const [USERS, EXPERIMENTS, MODELS, ROLES, GRANTS] = [5000, 2000, 100, 200, 50_000];
const TIMES = 30;
const SIDE = 64;

const EXPLANATION = `An MLflow with ${USERS} users, ${EXPERIMENTS} experiments, ${MODELS} models, ${ROLES} roles and ${GRANTS} grants. Calls: ${TIMES} of each, one after the
other, with a session as the console's own, over connections that stay open. “While it is read anew”: the same calls while
MLflow is asked for all of its users. Tasks: the longest of the page's main thread, by Chromium's own trace.`;

const run = promisify(execFile);

await alone(async (flowdeck, browser) => {
  say(`making ${USERS} users, ${EXPERIMENTS} experiments and ${GRANTS} grants`);
  const folder = join(flowdeck.folder, 'data/mlflow');
  const script = join(dirname(fileURLToPath(import.meta.url)), 'people.py');
  const many = [USERS, EXPERIMENTS, MODELS, ROLES, GRANTS].map(String);
  await run(places.python, [script, join(folder, 'mlflow.db'), join(folder, 'auth.db'), ...many]);
  const state = await signedIn(browser, flowdeck.url, await flowdeck.admin());
  const cookie = state.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  let oldest = 0;

  /** How long an answer takes, what it is, and how large. @param {string} path */
  async function call(path) {
    const begin = performance.now();
    const answer = await fetch(flowdeck.url + path, { headers: { cookie } });
    const text = await answer.text();
    const took = performance.now() - begin;
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return { took, text, size: text.length };
  }

  /** The same of Flowdeck's own API. @param {string} path */
  async function ask(path) {
    const { text, ...rest } = await call(`/api/flowdeck/v1${path}`);
    const body = JSON.parse(text);
    oldest = Math.max(oldest, Date.now() - body.read_at);
    return { ...rest, body };
  }

  /** @template T @param {(number: number) => Promise<T>} each @returns {Promise<T[]>} */
  async function often(each) {
    const all = [];
    for (let number = 0; number < TIMES; number += 1) all.push(await each(number));
    return all;
  }

  /** @type {(string[] | string)[]} */
  const rows = [];
  /** @param {string} what @param {number} value @param {(value: number) => string} unit @param {number} [target] */
  const row = (what, value, unit, target) => rows.push([what, unit(value), target === undefined ? '' : aim(`≤ ${unit(target)}`, value <= target)]);
  /** Median and worst of how long calls took. @param {string} what @param {{ took: number }[]} calls @param {number} [target] */
  function both(what, calls, target) {
    const took = calls.map((call) => call.took);
    row(`${what}, median`, median(took), whole, target);
    row(`${what}, worst`, Math.max(...took), whole, target);
  }
  const search = (/** @type {number} */ number) => `/users?q=person-0${String((number * 37) % 500).padStart(3, '0')}`;

  say('starting Flowdeck anew, and asking for people');
  await flowdeck.end('SIGTERM');
  await flowdeck.run();
  rows.push('People');
  const first = await ask('/users');
  if (first.body.all < USERS) throw new Error(`only ${first.body.all} users were found`);
  row('first page, the first after a start', first.took, whole);
  both('first page', await often(() => ask('/users')), 200);
  both('first page, the document', await often(() => call('/admin/users')), 200);
  row('size of a page of 50', (await ask('/users')).size, bytes);
  const searches = await often((number) => ask(search(number)));
  if (searches.some(({ body }) => body.total === 0)) throw new Error('a search found nobody');
  both('search', searches, 50);
  both('page in the middle, by grants', await often((number) => ask(`/users?sort=-grants&offset=${number * 100}`)), 200);

  say("searching while MLflow's users are read anew");
  let isRead = false;
  const anew = ask('/users?fresh=true').finally(() => (isRead = true));
  const during = [];
  while (!isRead) {
    during.push(await ask(search(during.length)));
    await sleep(50);
  }
  row('all users read anew, as the page asks for it', (await anew).took, whole);
  both('search while it is read anew', during, 50);
  row('age of what was told, at most', oldest / 1000, seconds, 120);

  say('asking for parts of the matrix');
  rows.push('The matrix of all permissions');
  const part = (/** @type {number} */ number) =>
    `/access/matrix?row=${((number * 7) % (USERS / SIDE | 0)) * SIDE}&column=${((number * 3) % (EXPERIMENTS / SIDE | 0)) * SIDE}&height=${SIDE}&width=${SIDE}`;
  const parts = await often((number) => ask(part(number)));
  both(`a part of ${SIDE} × ${SIDE}`, parts, 50);
  row('size of a part', median(parts.map(({ size }) => size)), bytes);
  both('a part of the search for a person', await often((number) => ask(`/access/matrix?rows=person-0${number}&height=${SIDE}&width=${SIDE}`)), 50);

  say('scrolling the matrix');
  const context = await browser.newContext({ storageState: state, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const begin = Date.now();
  await page.goto(`${flowdeck.url}/admin/permissions`);
  await page.locator('html[data-awake] .matrix .body [role=gridcell]').first().waitFor();
  row('the page is there after', Date.now() - begin, whole);
  await page.locator('.matrix-says', { hasText: 'as of' }).waitFor();
  await sleep(1000);
  /** @param {number} down @param {number} across pixels for each frame; every tenth is thirty times as far */
  const scroll = (down, across) =>
    page.locator('.matrix').evaluate(
      async (frame, [down, across]) => {
        for (let step = 0; step < 150; step += 1) {
          const far = step % 10 === 9 ? 30 : 1;
          frame.scrollBy(down * far, across * far);
          await new Promise((done) => requestAnimationFrame(done));
        }
      },
      [down, across],
    );
  for (const [what, down, across] of /** @type {[string, number, number][]} */ ([
    ['down', 150, 0],
    ['across', 0, 100],
    ['up and back, both at once', -150, -100],
  ])) {
    row(`longest task while scrolling ${what}`, await longest(() => scroll(down, across)), whole, 50);
  }
  const waiting = () => page.locator('.matrix .body .wait').count();
  for (const begin = Date.now(); (await waiting()) > 0; await sleep(50)) {
    if (Date.now() - begin > 10_000) throw new Error('a part of the matrix does not come');
  }
  await context.close();
  console.log(`\n${table(['', 'Flowdeck', 'aim'], rows)}\n\n${EXPLANATION}`);

  /** The longest task of the page's main thread, ms. @param {() => Promise<unknown>} action */
  async function longest(action) {
    await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] });
    await action();
    await sleep(500);
    /** @type {{ traceEvents: { name: string, pid: number, tid: number, dur?: number, args: any }[] }} */
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
    const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid} ${tid}`);
    const tasks = traceEvents.filter(({ name, pid, tid }) => /RunTask$/.test(name) && mains.includes(`${pid} ${tid}`));
    if (tasks.length === 0) throw new Error('Chromium has traced no task');
    return tasks.reduce((most, { dur }) => Math.max(most, dur ?? 0), 0) / 1000;
  }
});
