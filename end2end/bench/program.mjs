// Programs that a comparison needs beside Flowdeck: started in a folder of their own, watched through /proc, ended with us.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { withUs } from '../lib/flowdeck.mjs';
import { until } from '../lib/until.mjs';

const START_LIMIT = 120_000;
const STOP_LIMIT = 20_000;

/** What `cargo xtask bench` has fetched. */
const others = process.env.BENCH_OTHERS ?? '';
const debian = join(others, 'debian');
export const programs = {
  nginx: join(debian, 'usr/sbin/nginx'),
  wrk: join(debian, 'usr/bin/wrk'),
  traefik: join(others, 'traefik/bin/traefik'),
};

/** Says what is missing, before anything is made. */
export function expectPrograms() {
  for (const place of Object.values(programs)) {
    if (!existsSync(place)) throw new Error(`${place} is missing; cargo xtask bench gets it`);
  }
}

/** The environment in which they find their libraries. */
export function environment() {
  const libraries = join(debian, 'usr/lib');
  return { ...process.env, LD_LIBRARY_PATH: readdirSync(libraries).map((folder) => join(libraries, folder)).join(':') };
}

/** A port that nobody listens at. @returns {Promise<number>} */
export async function port() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(undefined)));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export class Program {
  /**
   * Starts a program and waits until it answers `health`.
   * @param {string} program @param {string} health an address that answers 200
   * @param {(folder: string) => { args: string[], files?: Record<string, string>, env?: NodeJS.ProcessEnv }} prepare
   */
  static async start(program, health, prepare) {
    const folder = await mkdtemp(join(tmpdir(), 'flowdeck-bench-'));
    const { args, files = {}, env = environment() } = prepare(folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const log = await open(join(folder, 'log'), 'a');
    // A group of its own, so that what it starts ends with it.
    const child = spawn(...withUs(program, args), { cwd: folder, env, detached: true, stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    const self = new Program(folder, child);
    try {
      await until(`${program} answers`, START_LIMIT, async () => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended`);
        return (await fetch(health).catch(() => undefined))?.ok ?? false;
      });
    } catch (error) {
      const said = await readFile(join(folder, 'log'), 'utf8');
      await self.stop();
      throw new Error(`${error}\n${said.slice(-2000)}`);
    }
    return self;
  }

  /** @param {string} folder @param {import('node:child_process').ChildProcess} child */
  constructor(folder, child) {
    this.folder = folder;
    this.child = child;
  }

  async stop() {
    const isGone = async () => !this.signal(0);
    this.signal('SIGTERM');
    await until('it has ended', STOP_LIMIT, isGone).catch(() => this.signal('SIGKILL'));
    await until('it is dead', STOP_LIMIT, isGone);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** Says whether there is anybody to hear it. @param {NodeJS.Signals | 0} signal */
  signal(signal) {
    try {
      return process.kill(-(this.child.pid ?? NaN), signal);
    } catch {
      return false;
    }
  }
}

/** The seconds of processor time that a process and its children have had. @param {number | undefined} pid */
export async function processorTime(pid) {
  const each = await Promise.all((await family(pid)).map(async (member) => {
    const fields = (await readFile(`/proc/${member}/stat`, 'utf8')).split(') ')[1].split(' ');
    // proc(5): utime and stime are fields 14 and 15, in ticks of which Linux tells programs 100 a second.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }));
  return each.reduce((sum, one) => sum + one, 0);
}

/** Sets the peak of their memory back to the present (proc(5)). @param {number | undefined} pid */
export async function forgetPeak(pid) {
  for (const member of await family(pid)) await writeFile(`/proc/${member}/clear_refs`, '5');
}

/** The bytes that a process and its children have in memory now, and had at most. @param {number | undefined} pid */
export async function memory(pid) {
  const sum = { now: 0, peak: 0 };
  for (const member of await family(pid)) {
    const status = await readFile(`/proc/${member}/status`, 'utf8');
    const field = (/** @type {string} */ name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+) kB`))?.[1]) * 1024;
    sum.now += field('VmRSS');
    sum.peak += field('VmHWM');
  }
  return sum;
}

/** @param {number | undefined} pid */
async function family(pid) {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return [String(pid), ...children.split(' ').filter(Boolean)];
}
