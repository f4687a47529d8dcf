// A thousand pages at once, each of them whole.

import { Agent, get } from 'node:http';

import { names } from './lib/seed.mjs';
import { expect, test } from './lib/test';

const TIMES = 1000;

/** Both the pages and how many of them are asked for at once. */
const rounds = [
  { at_once: 8, told: 'a few at a time: nearly all have their data' },
  { at_once: TIMES, told: 'all at the same moment: each is whole' },
];

for (const { at_once, told } of rounds) {
  test(`a thousand pages, ${told}`, async ({ context, flowdeck, signIn }) => {
    test.setTimeout(300_000);
    await signIn(flowdeck.data.reader);
    const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const { ids, runs } = flowdeck.data;
    const paths: [string, string][] = [
      ['/experiments', names.sweep],
      [`/experiments/${ids.sweep}`, 'trial-249'],
      [`/experiments/${ids.details}/runs/${runs.details}`, 'optimizer/name'],
    ];
    const agent = new Agent({ keepAlive: true, maxSockets: at_once });
    const fetch = (path: string) =>
      new Promise<{ status?: number; body: string }>((done, failed) => {
        const request = get(flowdeck.url + path, { agent, headers: { cookie } }, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('end', () => done({ status: answer.statusCode, body: Buffer.concat(parts).toString() }));
          answer.on('error', failed);
        });
        request.on('error', failed);
      });

    const answers = await Promise.all(
      Array.from({ length: TIMES }, async (_, index) => {
        const [path, expected] = paths[index % paths.length];
        const { status, body } = await fetch(path);
        const whole = body.trimEnd().endsWith('</html>');
        // A page whose data does not come in time goes out with grey rows in its place, and the browser asks again.
        const waits = body.includes('class="skeleton"');
        return { status, whole, named: body.includes(expected), waits };
      }),
    );
    agent.destroy();
    expect(answers.filter(({ status, whole, named, waits }) => status !== 200 || !whole || !(named || waits))).toEqual([]);
    const count = answers.filter(({ named }) => named).length;
    console.log(`${count} of ${TIMES} pages came with their data`);
    if (at_once < TIMES) expect(count).toBeGreaterThan(TIMES * 0.9);
  });
}
