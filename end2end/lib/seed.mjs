// What there is to read in every Flowdeck under test. Tests change none of it: those that write make their own.

import { deflateSync } from 'node:zlib';

import { pairs, together } from './rest.mjs';

/** Runs in the sweep: three pages of them. */
export const SWEEP = 250;

export const names = {
  baseline: 'vision/resnet/baseline',
  augmented: 'vision/resnet/augmented',
  vit: 'vision/vit/first-light',
  squad: 'nlp/bert/squad',
  sweep: 'sweep-of-learning-rates',
  odd: 'odd-values',
  details: 'everything-a-run-can-have',
  empty: 'nothing-in-here-yet',
  secret: 'secret/of-the-board',
  long: 'a-name-of-one-hundred-and-twenty-characters-'.padEnd(120, 'abcdefghij'),
  emoji: '🦊 fox & 🚀 rocket <b>not bold</b>',
  rtl: 'ניסוי למידה עמוקה/מודל ראשון',
};

/** The first moment of the data; later ones are counted from it, so that it is always of the last days. */
const begin = Date.now() - 3 * 24 * 3600_000;

/**
 * Fills a fresh Flowdeck.
 * @param {import('./rest.mjs').Rest} admin
 */
export async function seed(admin) {
  const reader = await person(admin, 'reader');
  /** @type {Record<string, string>} */
  const ids = {};
  const tags = { baseline: { team: 'vision', stage: 'done' }, augmented: { team: 'vision' }, squad: { team: 'nlp' } };
  // One after the other: the list sorts by when they were made.
  for (const [key, name] of Object.entries(names)) ids[key] = await admin.experiment(name, tags[key]);
  await admin.post('experiments/set-experiment-tag', { experiment_id: ids.baseline, key: 'mlflow.note.content', value: '# Baseline\n\nPlain **resnet50**, nothing clever.' });
  await admin.call('POST', '/api/3.0/mlflow/users/permissions/grant', {
    username: reader.name,
    resource_type: 'experiment',
    resource_id: ids.secret,
    permission: 'DENY',
  });
  await admin.run(ids.secret, { name: 'secret-run' });
  await admin.run(ids.baseline, { name: 'only-run', start: begin, params: { model: 'resnet50' }, metrics: { accuracy: [0.5, 0.7, 0.81] } });
  await sweep(admin, ids.sweep);
  const odd = await oddRuns(admin, ids.odd);
  const run = await details(admin, ids.details);
  return { ids, runs: { ...odd, details: run }, reader: { name: reader.name, password: reader.password } };
}

/** A user. @param {import('./rest.mjs').Rest} admin @param {string} name */
export async function person(admin, name) {
  const password = `${name}-knows-it-by-heart`;
  await admin.post('users/create', { username: name, password });
  return admin.as(name, password);
}

/** @param {import('./rest.mjs').Rest} admin @param {string} experiment */
async function sweep(admin, experiment) {
  const numbers = Array.from({ length: SWEEP }, (_, index) => index);
  await together(numbers, 6, (index) =>
    admin.run(experiment, {
      name: `trial-${String(index).padStart(3, '0')}`,
      start: begin + index * 60_000,
      seconds: 30 + index,
      params: { lr: String((index + 1) / 1000), model: index % 2 === 0 ? 'resnet50' : 'vit-b16' },
      // Each value once, and not in the order of the names.
      metrics: { accuracy: ((index * 97) % SWEEP) / SWEEP, loss: [3, 2, 1 + index / SWEEP] },
      tags: { stage: index % 5 === 0 ? 'test' : 'train' },
    }),
  );
}

/** @param {import('./rest.mjs').Rest} admin @param {string} experiment */
async function oddRuns(admin, experiment) {
  const minutes = (/** @type {number} */ count) => begin + count * 60_000;
  const parent = await admin.run(experiment, { name: 'parent-of-three', start: minutes(1), params: { kind: 'parent' } });
  for (const number of [1, 2, 3]) {
    await admin.run(experiment, { name: `child-${number}`, start: minutes(1 + number), tags: { 'mlflow.parentRunId': parent }, metrics: { loss: number } });
  }
  const running = await admin.run(experiment, { name: 'still-running', start: Date.now() - 90_000, status: 'RUNNING', metrics: { loss: [3, 2] } });
  const failed = await admin.run(experiment, { name: 'it-failed', start: minutes(6), status: 'FAILED' });
  const nan = await admin.run(experiment, { name: 'not-a-number', start: minutes(7), metrics: { loss: [1, Number.NaN] } });
  const infinite = await admin.run(experiment, { name: 'to-infinity', start: minutes(8), metrics: { loss: Number.POSITIVE_INFINITY, gain: Number.NEGATIVE_INFINITY } });
  await admin.run(experiment, { name: 'ריצה ראשונה 🦊 <i>x</i>', start: minutes(9), params: { שם: 'ערך <script>alert(1)</script>' } });
  return { parent, running, failed, nan, infinite };
}

/** A run with everything that its page can show. @param {import('./rest.mjs').Rest} admin @param {string} experiment */
async function details(admin, experiment) {
  const run = await admin.run(experiment, {
    name: 'rich-run',
    start: begin,
    seconds: 3725,
    params: { lr: '0.01', model: 'resnet50', 'optimizer/name': 'adam', long: 'x'.repeat(600) },
    metrics: { accuracy: [0.5, 0.7, 0.8125], loss: [3, 2, 0.123456789], 'system/gpu_0': 0.5 },
    tags: {
      stage: 'train',
      'mlflow.source.type': 'LOCAL',
      'mlflow.source.git.commit': '0123456789abcdef0123456789abcdef01234567',
      'mlflow.note.content': '# What was tried\n\nA *slow* start with **warm-up**, see <script>top.attacked = "note"</script> and [a link](javascript:top.attacked="link").',
    },
  });
  const dataset = { name: 'imagenet-mini', digest: 'a1b2c3d4', source_type: 'local', source: '{"uri":"/data/imagenet"}', schema: '{"mlflow_colspec":[{"type":"double","name":"x"}]}', profile: '{"num_rows":1000}' };
  await admin.post('runs/log-inputs', { run_id: run, datasets: [{ dataset, tags: pairs({ 'mlflow.data.context': 'training' }) }] });
  for (const [path, body] of Object.entries(files())) await admin.artifact(experiment, run, path, body);
  return run;
}

/** What a stranger could log to attack whoever looks at it. `%s` is named in what it leaves behind when it runs. */
const attack = `try { top.attacked = location.pathname } catch (e) {} document.documentElement.setAttribute("data-attacked", "yes"); document.title = "attacked"; fetch("/api/flowdeck/v1/session", { credentials: "include" }).then(r => r.text()).then(t => { document.title = "attacked " + t })`;

/** @returns {Record<string, string | Uint8Array>} */
function files() {
  return {
    'notes.txt': 'first line\nsecond line, מימין לשמאל\n',
    'config.json': JSON.stringify({ lr: 0.01, layers: [64, 32], name: 'resnet50', nested: { deep: true } }),
    'table.csv': 'epoch,loss,comment\n1,0.5,"with, comma"\n2,0.25,plain\n',
    'report.md': '# Report\n\nIt went **well**.\n',
    'images/dot.png': picture([255, 102, 0]),
    'hostile/page.html': `<!doctype html><html><head><title>quiet</title></head><body><h1>A report</h1><script>${attack}</script><img src=x onerror='${attack.replaceAll("'", '&#39;')}'><a id=go href="javascript:void(top.attacked=1)">go</a></body></html>`,
    'hostile/drawing.svg': `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80" onload='${attack.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&#39;').replaceAll('>', '&gt;')}'><title>quiet</title><rect width="80" height="80" fill="green"/><script>${attack.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('=>', '=&gt;')}</script></svg>`,
    'deep/er/and/deeper/file with spaces & signs +1.txt': 'found\n',
  };
}

/** A picture of one colour, 32 by 32. @param {[number, number, number]} colour */
export function picture(colour) {
  const [width, height] = [32, 32];
  const chunk = (/** @type {string} */ type, /** @type {Buffer} */ data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from(colour))]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

/** CRC-32 as PNG has it. @param {Buffer} bytes */
function crc(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}
