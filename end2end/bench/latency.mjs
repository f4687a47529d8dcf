// How long a small GET takes at MLflow and through Flowdeck, over connections that stay open.

import { Agent, request } from 'node:http';

import { median, percentile } from './figures.mjs';

/** Blocks alternate, so that what else the machine does falls on both. */
const BLOCK = 10;

/**
 * @typedef {object} Way one of the two that are compared
 * @property {string} url @property {Record<string, string>} headers
 */

/**
 * Asks both, one question after the other, `count` times each.
 * @param {Way} flowdeck @param {Way} mlflow @param {number} count
 */
export async function latency(flowdeck, mlflow, count) {
  const ways = [flowdeck, mlflow].map((way) => ({ way, agent: new Agent({ keepAlive: true, maxSockets: 1 }), times: /** @type {number[]} */ ([]) }));
  try {
    // Connections are made, passwords are checked and remembered, code is warm.
    for (const { way, agent } of ways) for (let index = 0; index < 200; index += 1) await ask(way, agent);
    for (let done = 0; done < count; done += BLOCK) {
      for (const { way, agent, times } of ways) {
        for (let index = 0; index < BLOCK; index += 1) times.push(await ask(way, agent));
      }
    }
  } finally {
    for (const { agent } of ways) agent.destroy();
  }
  const [through, direct] = ways.map(({ times }) => ({ median: median(times), p99: percentile(times, 0.99) }));
  return { through, direct };
}

/** The milliseconds until the answer's last byte. @param {Way} way @param {Agent} agent @returns {Promise<number>} */
function ask({ url, headers }, agent) {
  return new Promise((done, fail) => {
    const start = process.hrtime.bigint();
    const asked = request(url, { agent, headers }, (answer) => {
      answer.resume();
      answer.on('error', fail);
      answer.on('end', () => {
        const took = Number(process.hrtime.bigint() - start) / 1e6;
        if (answer.statusCode === 200) done(took);
        else fail(new Error(`GET ${url} answered ${answer.statusCode}`));
      });
    });
    asked.on('error', fail);
    asked.end();
  });
}
