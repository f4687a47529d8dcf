// What the first page weighs.

import { brotliCompressSync } from 'node:zlib';

import { expect, test } from './lib/test';

/** What the budget for the first page sets aside for its document. */
const DOCUMENT = 16_000;

test('the document of the experiments is small', async ({ context, flowdeck, signIn }) => {
  await signIn(flowdeck.data.reader);
  const answer = await context.request.get(`${flowdeck.url}/experiments`);
  expect(answer.status()).toBe(200);
  expect(brotliCompressSync(await answer.body()).length).toBeLessThan(DOCUMENT);
});
