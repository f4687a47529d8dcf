// wrk, a closed loop of requests over connections that stay open.

import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { withUs } from '../lib/flowdeck.mjs';
import { environment, processorTime, programs } from './program.mjs';

const script = join(dirname(fileURLToPath(import.meta.url)), 'wrk.lua');

/**
 * @typedef {object} Measured
 * @property {number} rate requests per second @property {number} p50 ms @property {number} p99 ms
 * @property {number} processor µs of the program's processor time per request
 */

/**
 * @param {{ url: string, pid: number | undefined }} way @param {string} path @param {string} authorization
 * @param {number} connections @param {number} seconds @returns {Promise<Measured>}
 */
export async function wrk(way, path, authorization, connections, seconds) {
  const before = await processorTime(way.pid);
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, '-H', `Authorization: ${authorization}`, way.url + path];
  const { stdout } = await promisify(execFile)(...withUs(programs.wrk, args), { env: environment(), timeout: (seconds + 30) * 1000 });
  const spent = (await processorTime(way.pid)) - before;
  const measured = JSON.parse(stdout.match(/MEASURED (.*)/)?.[1] ?? 'null');
  if (!measured?.requests || measured.bad > 0) throw new Error(`wrk ${args.slice(0, 2).join(' ')} ${way.url}${path}: ${measured?.bad} bad answers\n${stdout}`);
  return {
    rate: measured.requests / measured.seconds,
    p50: measured.p50 / 1000,
    p99: measured.p99 / 1000,
    processor: (spent / measured.requests) * 1e6,
  };
}
