// The stock client at work: through Flowdeck, at the MLflow behind it, and at an MLflow as people start it.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { say, untilEnd } from '../lib/end.mjs';
import { Flowdeck, expectPlaces, places, withUs } from '../lib/flowdeck.mjs';
import { Program, port } from './program.mjs';
import { aim, seconds, table, times } from './table.mjs';

const RUNS = 100;
/** Blocks alternate, so that what else the machine does falls on all. */
const BLOCK = 10;
/** Few percent are told from noise by many short blocks in pairs, of which the median forgets the disturbed ones. */
const PAIRS = 120;
const PAIRED = 3;
const script = join(dirname(fileURLToPath(import.meta.url)), 'client.py');

const EXPLANATION = `Runs with five parameters and three metrics each, logged by the stock client one after the other: ${RUNS} each way in turns of ${BLOCK}, then
${PAIRS} pairs of ${PAIRED} through Flowdeck and ${PAIRED} at the MLflow behind it, of which the other goes first each time; the median of the pairs' ratios, and
between which half of them lie. Through Flowdeck the client shows an API key, elsewhere the administrator's name and password.
Flowdeck's own MLflow remembers for a short while which passwords were right; as MLflow is started by default, it does not.`;

/** The stock client in a process of its own. */
class Client {
  /** @param {Record<string, string>} env who calls where */
  constructor(env) {
    const told = { ...clean(), MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT: 'true', ...env };
    this.child = spawn(...withUs(places.python, [script]), { env: told, stdio: ['pipe', 'pipe', 'inherit'] });
    // That it has ended, the missing answer tells.
    this.child.stdin.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Logs so many runs, and gives the seconds that they took. @param {number} count */
  async log(count) {
    this.child.stdin.write(`${count}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the client ended; what it said is above');
    return Number(value);
  }

  async stop() {
    this.child.kill();
  }
}

/** @type {{ stop: () => Promise<unknown> }[]} */
const running = [];
await untilEnd(
  async () => {
    expectPlaces();
    say('starting Flowdeck with its MLflow, and another MLflow (a minute)');
    const flowdeck = new Flowdeck(await mkdtemp(join(tmpdir(), 'flowdeck-bench-')), {});
    running.push(flowdeck);
    await flowdeck.run().catch(async (error) => {
      throw new Error(`${error}\n${(await flowdeck.log()).slice(-3000)}`);
    });
    const admin = await flowdeck.admin();
    const { key } = await (await admin.call('POST', '/api/flowdeck/v1/keys', { name: 'bench' })).json();
    const other = await plain();
    const ways = [
      { name: 'through Flowdeck', env: { MLFLOW_TRACKING_URI: flowdeck.url, MLFLOW_TRACKING_TOKEN: key } },
      { name: 'at the MLflow behind it', env: basic(await flowdeck.mlflowUrl(), admin.password) },
      { name: 'at `mlflow server --app-name basic-auth`', env: basic(other.url, other.password) },
    ];
    say('logging (four to six minutes, most of them the last way)');
    const clients = ways.map(({ env }) => new Client(env));
    running.push(...clients);
    // Connections are made, passwords are checked and remembered, code is warm.
    for (const client of clients) await client.log(1);
    const took = ways.map(() => 0);
    for (let done = 0; done < RUNS; done += BLOCK) {
      for (const [way, client] of clients.entries()) took[way] += await client.log(BLOCK);
    }
    const ratios = await paired(clients[0], clients[1]);
    const [low, slower, high] = [0.25, 0.5, 0.75].map((part) => (ratios[Math.floor(part * ratios.length)] - 1) * 100);
    const faster = took[2] / took[0];
    const rows = [
      [ways[0].name, seconds(took[0]), '', ''],
      [ways[1].name, seconds(took[1]), `${slower.toFixed(1)} % slower (${low.toFixed(1)} to ${high.toFixed(1)})`, aim('at most 5 % slower', slower <= 5)],
      [ways[2].name, seconds(took[2]), `${times(faster)} faster`, aim('at least 3 × faster', faster >= 3)],
    ];
    console.log(`\n${table(['', `${RUNS} runs`, 'Flowdeck is', 'target'], rows)}\n\n${EXPLANATION}`);
  },
  async () => {
    for (const one of running.reverse()) await one.stop();
  },
);

/** How many times as long the first takes, of each pair of blocks, in order of size. @param {Client} one @param {Client} other */
async function paired(one, other) {
  const ratios = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const took = new Map();
    for (const client of pair % 2 === 0 ? [one, other] : [other, one]) took.set(client, await client.log(PAIRED));
    ratios.push(took.get(one) / took.get(other));
  }
  return ratios.sort((a, b) => a - b);
}

/** MLflow as its manual has people start it. */
async function plain() {
  const at = await port();
  const url = `http://127.0.0.1:${at}`;
  const password = randomBytes(16).toString('hex');
  const program = await Program.start(places.python, `${url}/health`, () => ({
    args: ['-m', 'mlflow', 'server', '--app-name', 'basic-auth', '--host', '127.0.0.1', '--port', `${at}`],
    env: { ...clean(), MLFLOW_FLASK_SERVER_SECRET_KEY: randomBytes(16).toString('hex'), MLFLOW_AUTH_ADMIN_PASSWORD: password },
  }));
  running.push(program);
  return { url, password };
}

/** Who calls where, as the stock client is told. @param {string} url @param {string} password @returns {Record<string, string>} */
function basic(url, password) {
  return { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_USERNAME: 'admin', MLFLOW_TRACKING_PASSWORD: password };
}

/** The environment without anybody's settings of MLflow. */
function clean() {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('MLFLOW_'));
  return { ...Object.fromEntries(others), MLFLOW_DISABLE_TELEMETRY: 'true' };
}
