// Takes the pictures that README shows: of a fresh Flowdeck with the demonstration data, or of one that is running.

import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

import { alone, signedIn } from '../lib/alone.mjs';
import { say } from '../lib/end.mjs';
import { launchOptions, places } from '../lib/flowdeck.mjs';
import { Rest } from '../lib/rest.mjs';
import { until } from '../lib/until.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const images = join(root, 'docs/images');
const size = { width: 1440, height: 900 };

const { values: given } = parseArgs({
  options: { url: { type: 'string' }, user: { type: 'string', default: 'admin' }, 'password-file': { type: 'string' } },
});

if (given.url) {
  const file = given['password-file'];
  if (!file) throw new Error('--url needs --password-file, the file with the password of --user');
  const password = (await readFile(file, 'utf8')).trim();
  const browser = await chromium.launch(launchOptions);
  try {
    await take(browser, new Rest(given.url.replace(/\/$/, ''), given.user, password));
  } finally {
    await browser.close();
  }
} else {
  await alone(async (flowdeck, browser) => {
    const passwordFile = join(flowdeck.folder, 'data/mlflow/admin-password');
    await run(places.python, [join(root, 'xtask/src/demo.py'), '--url', flowdeck.url, '--user', 'admin', '--password-file', passwordFile]);
    const admin = await flowdeck.admin();
    await furnish(admin);
    await take(browser, admin);
  });
}

/** @param {import('playwright-core').Browser} browser @param {Rest} user */
async function take(browser, user) {
  say('taking twelve pictures (a minute)');
  const session = await signedIn(browser, user.url, user);
  const { experiment, run: best } = await subject(user);
  const pages = {
    experiments: '/experiments',
    runs: `/experiments/${experiment}`,
    run: `/experiments/${experiment}/runs/${best}`,
    keys: '/admin/keys',
    audit: '/admin/audit?way=key',
    health: '/admin',
  };
  const taken = [];
  for (const theme of /** @type {const} */ (['light', 'dark'])) {
    const context = await browser.newContext({ storageState: session, viewport: size, colorScheme: theme });
    const page = await context.newPage();
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(user.url + path);
      await page.locator('html[data-awake]').waitFor({ state: 'attached' });
      await page.waitForLoadState('networkidle');
      const file = join(images, `${name}-${theme}.png`);
      await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' });
      taken.push(file);
    }
    await context.close();
  }
  await run(places.python, [join(here, 'shrink.py'), ...taken]);
}

/** Keys, calls with them, and some minutes to look back on. @param {Rest} admin */
async function furnish(admin) {
  say('making keys, and calls with them until there are five minutes to look back on');
  const day = 24 * 3600_000;
  /** @param {Record<string, unknown>} wanted @returns {Promise<{ id: string, key: string }>} */
  const key = async (wanted) => (await admin.call('POST', '/api/flowdeck/v1/keys', wanted)).json();
  const { experiment } = await subject(admin);
  await admin.call('POST', '/api/flowdeck/v1/service-accounts', { name: 'nightly-training' });
  const nightly = await key({ name: 'cluster', user: 'nightly-training', experiments: [experiment], allowed_networks: ['127.0.0.0/8', '10.0.0.0/8'] });
  const laptop = await key({ name: 'laptop', expires_at: Date.now() + 90 * day });
  const dashboard = await key({ name: 'dashboard', scopes: ['read'], rate_per_second: 5, shadow: true });
  const old = await key({ name: 'old notebook' });
  await admin.call('PATCH', `/api/flowdeck/v1/keys/${old.id}`, { state: 'disabled' });
  /** @param {{ key: string }} key @param {string} method @param {string} path @param {unknown} [body] */
  const call = (key, method, path, body) =>
    fetch(`${admin.url}/api/2.0/mlflow/${path}`, {
      method,
      headers: { authorization: `Bearer ${key.key}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
  const runs = { experiment_ids: [experiment], max_results: 5 };
  await until('there are five minutes of health', 600_000, async () => {
    await call(dashboard, 'POST', 'runs/search', runs);
    await call(laptop, 'GET', `experiments/get?experiment_id=${experiment}`);
    await call(nightly, 'POST', 'runs/search', runs);
    await call(nightly, 'GET', 'experiments/get?experiment_id=0');
    await sleep(2000);
    const history = await admin.call('GET', '/api/flowdeck/v1/health/history');
    return (await history.json()).points.length >= 5;
  });
}

/** The demonstration's sweep, and the run in it that is worth a look. @param {Rest} user */
async function subject(user) {
  const name = 'vision/resnet/cifar100-sweep';
  const { experiment } = await user.get('experiments/get-by-name', { experiment_name: name });
  const { runs } = await user.post('runs/search', {
    experiment_ids: [experiment.experiment_id],
    filter: "attributes.status = 'FINISHED'",
    order_by: ['metrics.`val/accuracy` DESC'],
    max_results: 1,
  });
  if (!runs?.length) throw new Error(`${name} has no finished run`);
  return { experiment: experiment.experiment_id, run: runs[0].info.run_id };
}

/** Runs a program on this terminal. @param {string} program @param {string[]} args */
async function run(program, args) {
  const code = await new Promise((done, fail) => spawn(program, args, { stdio: 'inherit' }).on('error', fail).on('exit', done));
  if (code !== 0) throw new Error(`${program} ${args[0]} failed (${code})`);
}
