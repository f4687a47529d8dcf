// What both consoles show while they are measured: flat names and finished runs, which both list in the same way.

import { together } from '../lib/rest.mjs';

export const EXPERIMENTS = 50;
export const RUNS = 300;
/** Both lists begin with the newest. */
export const FIRST_EXPERIMENT = 'sweep-of-learning-rates';
export const FIRST_RUN = name(RUNS - 1);
const STEPS = 20;
const METRICS = ['train/loss', 'val/loss', 'val/accuracy'];

/**
 * Fills a fresh MLflow.
 * @param {import('../lib/rest.mjs').Rest} admin
 * @returns {Promise<string>} the experiment that has all the runs
 */
export async function fill(admin) {
  for (let index = 1; index < EXPERIMENTS; index += 1) await admin.experiment(`experiment-${String(index).padStart(2, '0')}`);
  const sweep = await admin.experiment(FIRST_EXPERIMENT);
  const begin = Date.now() - 24 * 3600_000;
  const numbers = Array.from({ length: RUNS }, (_, index) => index);
  await together(numbers, 4, (index) =>
    admin.run(sweep, {
      name: name(index),
      start: begin + index * 60_000,
      params: { lr: String((index + 1) / 1000), model: index % 2 === 0 ? 'resnet50' : 'vit-b16', batch_size: String(2 ** (5 + (index % 4))), optimizer: 'adam', seed: String(index) },
      metrics: Object.fromEntries(METRICS.map((name, which) => [name, curve(index + which)])),
      tags: { stage: index % 5 === 0 ? 'test' : 'train' },
    }),
  );
  return sweep;
}

/** Values by step, different for each run. @param {number} seed */
function curve(seed) {
  return Array.from({ length: STEPS }, (_, step) => 0.1 + (seed % 17) / 40 + 2 * Math.exp(-step / (3 + (seed % 5))));
}

/** @param {number} index */
function name(index) {
  return `trial-${String(index).padStart(3, '0')}`;
}
