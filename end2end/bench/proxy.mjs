// Flowdeck as a proxy, with key check, limits and audit as its release has them, beside nginx and Traefik: the same stub, one table.

import { say, untilEnd } from '../lib/end.mjs';
import { median } from './figures.mjs';
import { aim, cell, count, fine, micro, percent, table, times } from './table.mjs';
import { Ways } from './ways.mjs';
import { wrk } from './wrk.mjs';

const ROUNDS = 3;
const SECONDS = 3;
/** `added` and `p99` are the most that is aimed at, in ms. */
const CASES = [
  { title: '1 KB, 1 connection', body: 'small', connections: 1, added: 0.1 },
  { title: '1 KB, 16 connections', body: 'small', connections: 16, p99: 3 },
  { title: '1 KB, 64 connections', body: 'small', connections: 64 },
  { title: '100 KB, 16 connections', body: 'large', connections: 16 },
];
const COLUMNS = ['direct', 'nginx', 'Flowdeck', 'Traefik'];

const EXPLANATION = `GET runs/get over connections that stay open, with an API key that only Flowdeck looks at; every answer has the same bytes.
Medians of ${ROUNDS} runs of ${SECONDS} s, all ways in turn; wrk, the stub (nginx) and what is measured share this machine. Processor time is the
program's own (of the stub, in the first column). nginx runs one worker and writes no log; Flowdeck checks the key, counts it
against its limits and writes the audit.`;

const ways = new Ways();
await untilEnd(
  async () => {
    await ways.start({ traefik: true });
    say(`measuring (${Math.ceil((CASES.length * COLUMNS.length * (ROUNDS + 1) * SECONDS) / 60)} minutes)`);
    /** @type {Record<string, import('./wrk.mjs').Measured[]>} by case and way */
    const runs = {};
    // The first round only warms up. In turn, so that what else the machine does falls on all.
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { title, body, connections } of CASES) {
        for (const name of COLUMNS) {
          const measured = await wrk(ways.all[name], `/api/2.0/mlflow/runs/get?run_id=${body}`, ways.authorization, connections, round === 0 ? 1 : SECONDS);
          if (round > 0) (runs[title + name] ??= []).push(measured);
        }
      }
    }
    const rows = CASES.flatMap((aimed) => {
      const figure = (/** @type {keyof import('./wrk.mjs').Measured} */ of) => COLUMNS.map((name) => median(runs[aimed.title + name].map((run) => run[of])));
      return [aimed.title, ...figures(aimed, figure)];
    });
    console.log(`\n${table(['', ...COLUMNS, 'Flowdeck/nginx', 'target'], rows)}\n\n${EXPLANATION}`);
  },
  () => ways.stop(),
);

/**
 * The rows about one case.
 * @param {{ added?: number, p99?: number }} aimed @param {(of: keyof import('./wrk.mjs').Measured) => number[]} figure by column
 */
function figures(aimed, figure) {
  const ratio = ([, nginx, flowdeck]) => flowdeck / nginx;
  const most = (/** @type {number} */ value, /** @type {number | undefined} */ limit) => (limit === undefined ? '' : aim(`at most ${limit} ms`, value <= limit));
  const row = (name, unit, values, show, target) => [name, ...values.map((value) => cell(value, unit)), show(ratio(values)), target];
  const [rate, p50, p99, processor] = ['rate', 'p50', 'p99', 'processor'].map(figure);
  const added = p50.map((value, column) => (column === 0 ? undefined : value - p50[0]));
  return [
    row('requests per second', count, rate, percent, aim('at least 70 %', ratio(rate) >= 0.7)),
    row('median', fine, p50, times, ''),
    row('median, added', fine, added, () => '', most(added[2], aimed.added)),
    row('p99', fine, p99, times, most(p99[2], aimed.p99)),
    row('processor time per request', micro, processor, times, aim('at most 2 ×', ratio(processor) <= 2)),
  ];
}
