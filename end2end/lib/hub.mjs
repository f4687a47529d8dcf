// One process keeps the Flowdecks that tests share: each is started when the first worker asks for it, and ended with the run.

import { createServer } from 'node:http';

import { Flowdeck } from './flowdeck.mjs';
import { together } from './rest.mjs';
import { person, seed } from './seed.mjs';

/** Experiments in the crowded one: more than MLflow gives at once. */
export const CROWD = 1050;

/** What a Flowdeck holds, by kind. @type {Record<string, (flowdeck: Flowdeck) => Promise<unknown>>} */
const kinds = {
  seeded: async (flowdeck) => seed(await flowdeck.admin()),
  crowded: async (flowdeck) => {
    const admin = await flowdeck.admin();
    const reader = await person(admin, 'reader');
    const numbers = Array.from({ length: CROWD }, (_, index) => index + 1);
    await together(numbers, 6, (number) => admin.experiment(`crowd-${String(number).padStart(4, '0')}`));
    return { reader: { name: reader.name, password: reader.password } };
  },
};

export class Hub {
  constructor() {
    /** @type {Map<string, Promise<{ flowdeck: Flowdeck, data: unknown }>>} */
    this.kept = new Map();
    this.server = createServer((request, response) => {
      const query = new URL(request.url ?? '/', 'http://hub').searchParams;
      this.give(query.get('kind') ?? 'seeded', query.get('base') ?? '/').then(
        (answer) => response.end(JSON.stringify(answer)),
        (error) => {
          response.statusCode = 500;
          response.end(String(error));
        },
      );
    });
  }

  /** @returns {Promise<string>} its address */
  async start() {
    await new Promise((done) => this.server.listen(0, '127.0.0.1', () => done(undefined)));
    const address = this.server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  /** @param {string} kind @param {string} base */
  async give(kind, base) {
    const key = `${kind} ${base}`;
    const begun =
      this.kept.get(key) ??
      Flowdeck.start({ base }).then(async (flowdeck) => {
        try {
          return { flowdeck, data: await kinds[kind](flowdeck) };
        } catch (error) {
          await flowdeck.stop();
          throw error;
        }
      });
    this.kept.set(key, begun);
    const { flowdeck, data } = await begun;
    const { password } = await flowdeck.admin();
    return { origin: flowdeck.origin, base: flowdeck.base, url: flowdeck.url, admin: { name: 'admin', password }, data };
  }

  async stop() {
    this.server.close();
    this.server.closeAllConnections();
    const kept = await Promise.allSettled(this.kept.values());
    await Promise.all(kept.map((one) => one.status === 'fulfilled' && one.value.flowdeck.stop()));
  }
}
