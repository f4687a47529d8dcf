// Starts the real Flowdeck with an MLflow of its own, in a folder that goes away with it.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Rest } from './rest.mjs';
import { until } from './until.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where the program, the browser's files, MLflow and the browser are: what `cargo xtask` says, or else where it puts them. */
export const places = {
  program: process.env.SERVER_PROGRAM ?? join(root, 'target/debug/flowdeck'),
  site: process.env.FLOWDECK_SITE_DIR ?? join(root, 'target/site'),
  python: process.env.FLOWDECK_MLFLOW_PYTHON ?? join(root, 'target/mlflow-venv/bin/python3'),
  chromium: process.env.FLOWDECK_CHROMIUM ?? '/usr/bin/chromium',
};

/** Says what is missing, before anything is made. */
export function expectPlaces() {
  for (const [what, place] of Object.entries(places)) {
    if (!existsSync(place)) throw new Error(`${place} is missing (${what}); cargo xtask test makes it and says where it is`);
  }
}

/** How the tests start Chromium: as root in a container, and without calls home. */
export const launchOptions = {
  executablePath: places.chromium,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** MLflow migrates two databases at its first start; with two cores and two of them, that takes a while. */
const START_LIMIT = 180_000;

/**
 * @typedef {object} Options
 * @property {string} [base] the base path, `/` if not given
 * @property {string[]} [args] more for the command line
 * @property {string} [mlflow] the address of an MLflow to stand before, instead of one of its own
 */

export class Flowdeck {
  /** @param {Options} [options] */
  static async start(options = {}) {
    expectPlaces();
    const folder = await mkdtemp(join(tmpdir(), 'flowdeck-end2end-'));
    const flowdeck = new Flowdeck(folder, options);
    try {
      await flowdeck.run();
    } catch (error) {
      const log = await flowdeck.log();
      await flowdeck.stop();
      throw new Error(`${error}\n${log.slice(-3000)}`);
    }
    return flowdeck;
  }

  /** @param {string} folder @param {Options} options */
  constructor(folder, options) {
    this.folder = folder;
    this.options = options;
    this.base = (options.base ?? '/').replace(/\/$/, '');
    this.port = 0;
    /** @type {import('node:child_process').ChildProcess | undefined} */
    this.child = undefined;
  }

  /** Starts the program; a second time, at the same address. */
  async run() {
    const { program, site, python } = places;
    const log = await open(join(this.folder, 'flowdeck.log'), 'a');
    const args = ['--listen', `127.0.0.1:${this.port}`, '--base-path', this.base || '/', '--data-dir', join(this.folder, 'data'), '--site-dir', site];
    // Tests of wrong passwords each come from an address of their own, so that none slows another down.
    args.push('--trusted-proxies', '127.0.0.1/32', ...(this.options.args ?? []));
    args.push(...(this.options.mlflow ? ['--mlflow-url', this.options.mlflow] : ['--mlflow-python', python]));
    const start = (await this.log()).length;
    this.child = spawn(...withUs(program, args), { cwd: this.folder, env: ours(process.env), stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    const running = () => {
      if (this.child?.exitCode !== null || this.child?.signalCode !== null) throw new Error('Flowdeck ended');
    };
    await until('Flowdeck listens', START_LIMIT, async () => {
      running();
      const found = (await this.log()).slice(start).match(/listening at [^\s]*:(\d+)/);
      this.port = Number(found?.[1] ?? 0);
      return this.port > 0;
    });
    await this.ready(running);
  }

  /** Waits until MLflow answers. */
  async ready(check = () => {}) {
    await until('MLflow answers through Flowdeck', START_LIMIT, async () => {
      check();
      return (await fetch(`${this.url}/health/ready`).catch(() => undefined))?.ok ?? false;
    });
  }

  async stop() {
    await this.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** @param {NodeJS.Signals} signal */
  async end(signal) {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise((done) => {
      const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
      child.once('exit', () => (clearTimeout(kill), done(undefined)));
      child.kill(signal);
    });
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Origin and base path, without a slash at the end. */
  get url() {
    return this.origin + this.base;
  }

  async admin() {
    const password = await readFile(join(this.folder, 'data/mlflow/admin-password'), 'utf8');
    return new Rest(this.url, 'admin', password.trim());
  }

  async log() {
    return readFile(join(this.folder, 'flowdeck.log'), 'utf8').catch(() => '');
  }

  /** Where the MLflow that it runs answers. */
  async mlflowUrl() {
    const found = (await this.log()).match(/MLflow answers at (http:\/\/127\.0\.0\.1:\d+)/);
    if (!found) throw new Error("Flowdeck's log does not say where its MLflow answers");
    return found[1];
  }

  /** The process group of the MLflow that it runs. */
  async mlflowGroup() {
    return Number(await readFile(join(this.folder, 'data/mlflow/mlflow.pid'), 'utf8'));
  }

  /** Kills MLflow, and waits until Flowdeck has noticed, which starts it again. */
  async killMlflow() {
    process.kill(-(await this.mlflowGroup()), 'SIGKILL');
    await until('Flowdeck notices', START_LIMIT, async () => (await fetch(`${this.url}/health/ready`)).status === 503);
  }
}

/** How to start a program so that Linux ends it with us, however we end. @param {string} program @param {string[]} args @returns {[string, string[]]} */
export function withUs(program, args) {
  return existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', ['--pdeathsig', 'TERM', program, ...args]] : [program, args];
}

/** The environment without settings of Flowdeck: each start says what it wants. @param {NodeJS.ProcessEnv} env */
function ours(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FLOWDECK_')));
}
