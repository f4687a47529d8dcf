// The ways to the same stub: straight, and through each proxy.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { say } from '../lib/end.mjs';
import { Flowdeck, expectPlaces } from '../lib/flowdeck.mjs';
import { Rest } from '../lib/rest.mjs';
import * as nginx from './nginx.mjs';
import { Program, expectPrograms, port, programs } from './program.mjs';

/** Limits that are looked at with each call and never reached. */
const LIMITS = ['--user-rate', '1000000', '--user-burst', '1000000', '--user-calls', '1000'];
const KEY = { name: 'bench', rate_per_second: 100_000, burst: 1_000_000 };

/** @typedef {{ url: string, pid: number | undefined }} Way */

export class Ways {
  constructor() {
    /** @type {{ stop: () => Promise<unknown> }[]} */
    this.running = [];
    /** @type {Record<string, Way>} */
    this.all = {};
    this.authorization = '';
    /** The stub's files. */
    this.folder = '';
  }

  /** @param {{ traefik?: boolean }} [wanted] */
  async start({ traefik = false } = {}) {
    expectPlaces();
    expectPrograms();
    say('starting the stub and what stands before it (seconds)');
    const direct = await nginx.stub();
    this.folder = direct.program.folder;
    this.add('direct', direct);
    this.add('nginx', await nginx.proxy(direct.url));
    this.authorization = await this.flowdeck(direct.url);
    if (traefik) this.add('Traefik', await before(direct.url));
    await this.expectSame('/api/2.0/mlflow/runs/get?run_id=small');
  }

  async stop() {
    for (const one of this.running.reverse()) await one.stop();
  }

  /** @param {string} name @param {{ program: Program, url: string }} started */
  add(name, { program, url }) {
    this.running.push(program);
    this.all[name] = { url, pid: program.child.pid };
  }

  /** Flowdeck as its release is, before the stub; gives what a program with a key sends. @param {string} stub */
  async flowdeck(stub) {
    const flowdeck = new Flowdeck(await mkdtemp(join(tmpdir(), 'flowdeck-bench-')), { mlflow: stub, args: LIMITS });
    this.running.push(flowdeck);
    await flowdeck.run().catch(async (error) => {
      throw new Error(`${error}\n${(await flowdeck.log()).slice(-3000)}`);
    });
    this.all.Flowdeck = { url: flowdeck.url, pid: flowdeck.child?.pid };
    const { key } = await (await new Rest(flowdeck.url, 'admin', 'the stub takes any').call('POST', '/api/flowdeck/v1/keys', KEY)).json();
    return `Bearer ${key}`;
  }

  /** Says which way changes the answer. @param {string} path */
  async expectSame(path) {
    const answers = await Promise.all(
      Object.entries(this.all).map(async ([name, { url }]) => {
        const answer = await fetch(url + path, { headers: { authorization: this.authorization, 'accept-encoding': 'identity' } });
        return { name, text: `${answer.status} ${await answer.text()}` };
      }),
    );
    const other = answers.find(({ text }) => !text.startsWith('200') || text !== answers[0].text);
    if (other) throw new Error(`${other.name} answers ${path} with ${other.text.slice(0, 300)}`);
  }
}

/** Traefik before `upstream`. @param {string} upstream */
async function before(upstream) {
  const at = await port();
  const routes = {
    http: {
      routers: { all: { rule: 'PathPrefix(`/`)', service: 'stub' } },
      services: { stub: { loadBalancer: { servers: [{ url: upstream }] } } },
    },
  };
  const program = await Program.start(programs.traefik, `http://127.0.0.1:${at}/health`, (folder) => ({
    args: [
      `--entryPoints.web.address=127.0.0.1:${at}`,
      `--providers.file.filename=${folder}/routes.yml`,
      '--global.checkNewVersion=false',
      '--global.sendAnonymousUsage=false',
      '--log.level=ERROR',
    ],
    // Each JSON text is YAML.
    files: { 'routes.yml': JSON.stringify(routes) },
  }));
  return { program, url: `http://127.0.0.1:${at}` };
}
