// Parts of the console that are loaded when they are first wanted, and what happens where they cannot be.

import { names } from './lib/seed.mjs';
import { expect, test } from './lib/test';

const RUNS = '**/assets/split_runs-*.wasm';

test('a part that cannot be loaded says so, and comes with the next try', async ({ flowdeck, guard, page, signIn, visit }) => {
  guard.expectStatus(404, /split_runs-/);
  guard.expectMessage(/WebAssembly/);
  await signIn(flowdeck.data.reader);
  await visit('/experiments?list=all');
  await page.route(RUNS, (route) => route.fulfill({ status: 404 }));
  await page.getByRole('link', { name: names.sweep }).click();
  await expect(page.getByRole('heading', { name: 'This part of the console could not be loaded' })).toBeVisible();
  // MLflow is not to blame.
  await expect(page.getByText('MLflow does not answer')).toHaveCount(0);
  await page.unroute(RUNS);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('link', { name: 'trial-249' })).toBeVisible();
});

test('a page whose own part is missing can be read, and says that it cannot be used', async ({ flowdeck, guard, page, signIn }) => {
  guard.expectStatus(404, /split_runs-/);
  guard.expectMessage(/WebAssembly|split module/);
  await signIn(flowdeck.data.reader);
  await page.route(RUNS, (route) => route.fulfill({ status: 404 }));
  await page.goto(`${flowdeck.url}/experiments/${flowdeck.data.ids.sweep}`);
  await expect(page.locator('html[data-asleep]')).toBeAttached();
  await expect(page.getByRole('link', { name: 'trial-249' })).toBeVisible();
});
