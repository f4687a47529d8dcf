// What is not there, and what one may not see.

import { names } from './lib/seed.mjs';
import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

test('there is no such page', async ({ page, guard, context, flowdeck, visit }) => {
  guard.expectStatus(404);
  expect((await context.request.get(`${flowdeck.url}/no/such/page`)).status()).toBe(404);
  await visit('/no/such/page');
  await expect(page.getByRole('heading', { name: 'There is no page at this address' })).toBeVisible();
  await expect(page).toHaveTitle('Not found · Flowdeck');
  await page.getByRole('link', { name: 'Go to the experiments' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
});

test('there is no such experiment', async ({ page, guard, context, another, flowdeck, signIn, visit }) => {
  guard.expectStatus(404);
  const owner = await another();
  await signIn(flowdeck.admin, owner);
  expect((await owner.request.get(`${flowdeck.url}/experiments/987654321`)).status()).toBe(404);
  const theirs = await visit('/experiments/987654321', await owner.newPage());
  await expect(theirs.getByRole('alert')).toContainText('Not found: experiment 987654321');
  expect((await context.request.get(`${flowdeck.url}/experiments/987654321`)).status()).toBe(404);
  await visit('/experiments/987654321');
  await expect(page.getByRole('alert')).toContainText('experiment 987654321');
});

test('there is no such run', async ({ guard, another, flowdeck, signIn, visit }) => {
  guard.expectStatus(404);
  const run = '0123456789abcdef0123456789abcdef';
  const owner = await another();
  await signIn(flowdeck.admin, owner);
  expect((await owner.request.get(`${flowdeck.url}/runs/${run}`)).status()).toBe(404);
  const theirs = await visit(`/runs/${run}`, await owner.newPage());
  await expect(theirs.getByRole('alert')).toContainText(`Not found: run ${run}`);
});

test('what one may not see', async ({ page, guard, context, flowdeck, visit }) => {
  guard.expectStatus(403);
  const path = `/experiments/${flowdeck.data.ids.secret}`;
  const answer = await context.request.get(flowdeck.url + path);
  expect(answer.status()).toBe(403);
  expect(await answer.text()).not.toContain(names.secret);
  await visit(path);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('You may not see experiment');
  await expect(alert).toContainText('Ask its owner or an administrator');
  await expect(alert).toContainText('request');
});
