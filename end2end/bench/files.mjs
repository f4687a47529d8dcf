// A gigabyte up and down through Flowdeck and through nginx: how fast, and in how much memory.

import { execFile } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { say, untilEnd } from '../lib/end.mjs';
import { withUs } from '../lib/flowdeck.mjs';
import { median } from './figures.mjs';
import { forgetPeak, memory, processorTime } from './program.mjs';
import { aim, cell, megabytes, percent, seconds, table } from './table.mjs';
import { Ways } from './ways.mjs';

const SIZE = 1024 ** 3;
const PIECE = 1024 ** 2;
const ROUNDS = 3;
const LIMIT = 120;
/** What Flowdeck may hold of a file, whatever its size. */
const FLAT = 32e6;
const COLUMNS = ['direct', 'nginx', 'Flowdeck'];
const ARTIFACTS = '/api/2.0/mlflow-artifacts/artifacts';
const SOURCE = '0/down/artifacts/weights.bin';

const EXPLANATION = `Medians of ${ROUNDS} of each, in turn: curl sends or takes a file of 1 GiB, the stub (nginx) keeps it on disk. nginx as a proxy streams both
ways as Flowdeck does, instead of keeping the file first. Memory is the most that the program had in memory meanwhile, over what it
had before.`;

/** @typedef {{ rate: number, processor: number, before: number, growth: number }} Measured rate in bytes a second, processor in s, memory in bytes */

const ways = new Ways();
await untilEnd(
  async () => {
    await ways.start();
    const file = join(ways.folder, SOURCE);
    say('making a file of 1 GiB (seconds)');
    await make(file);
    const directions = [
      { title: 'Upload of 1 GiB', path: '0/up/artifacts/weights.bin', args: ['-T', file, '-H', 'Expect:'] },
      { title: 'Download of 1 GiB', path: SOURCE, args: [] },
    ];
    say('measuring (half a minute to two minutes)');
    /** @type {Record<string, Measured[]>} by direction and way */
    const runs = {};
    // In turn, so that what else the machine does falls on all.
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { title, path, args } of directions) {
        for (const name of COLUMNS) (runs[title + name] ??= []).push(await measure(ways.all[name], path, args));
      }
    }
    const rows = directions.flatMap(({ title }) => {
      const figure = (/** @type {keyof Measured} */ of) => COLUMNS.map((name) => median(runs[title + name].map((run) => run[of])));
      const most = COLUMNS.map((name) => Math.max(...runs[title + name].map((run) => run.growth)));
      return [title, ...figures(figure, most)];
    });
    console.log(`\n${table(['', ...COLUMNS, 'Flowdeck/nginx', 'target'], rows)}\n\n${EXPLANATION}`);
  },
  () => ways.stop(),
);

/** @param {(of: keyof Measured) => number[]} figure by column @param {number[]} most memory's growth by column */
function figures(figure, most) {
  const [rate, processor, before] = [figure('rate'), figure('processor'), figure('before')];
  const ratio = ([, nginx, flowdeck]) => percent(flowdeck / nginx);
  const row = (name, unit, values, ratio, target) => [name, ...values.map((value) => cell(value, unit)), ratio, target];
  return [
    row('per second', megabytes, rate, ratio(rate), aim('at least 80 %', rate[2] / rate[1] >= 0.8)),
    row('processor time', seconds, processor, ratio(processor), ''),
    row('memory before', megabytes, before, '', ''),
    row('memory, growth at most', megabytes, most, '', aim('flat: at most 32 MB', most[2] <= FLAT)),
  ];
}

/** @param {import('./ways.mjs').Way} way @param {string} path @param {string[]} args @returns {Promise<Measured>} */
async function measure({ url, pid }, path, args) {
  await forgetPeak(pid);
  const before = (await memory(pid)).now;
  const spent = await processorTime(pid);
  const ask = ['-sS', '--fail-with-body', '-m', `${LIMIT}`, '-o', '/dev/null', '-w', '%{time_total} %{size_upload} %{size_download}'];
  const asked = [...ask, '-H', `Authorization: ${ways.authorization}`, ...args, `${url}${ARTIFACTS}/${path}`];
  const { stdout } = await promisify(execFile)(...withUs('curl', asked));
  const [took, up, down] = stdout.split(' ').map(Number);
  if (Math.max(up, down) !== SIZE) throw new Error(`curl moved ${up} bytes up and ${down} down, of ${SIZE}`);
  return { rate: SIZE / took, processor: (await processorTime(pid)) - spent, before, growth: (await memory(pid)).peak - before };
}

/** A file that nobody can shorten. @param {string} path */
async function make(path) {
  await mkdir(dirname(path), { recursive: true });
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  const pieces = Buffer.concat(Array.from({ length: PIECE / piece.length }, () => piece));
  const file = await open(path, 'w');
  try {
    for (let done = 0; done < SIZE; done += PIECE) await file.write(pieces);
  } finally {
    await file.close();
  }
}
