// More experiments than MLflow gives in one answer.

import { CROWD } from './lib/hub.mjs';
import type { Person } from './lib/test';
import { expect, hub, test } from './lib/test';

// MLflow gives a thousand experiments at once; all of them must be found.
test.describe.configure({ timeout: 240_000 });

test('more than a thousand experiments are listed, counted and found', async ({ page, hasScript }) => {
  const crowded = await hub<{ reader: Person }>('crowded', '/');
  const { name, password } = crowded.data.reader;
  await page.goto(`${crowded.url}/login?next=${encodeURIComponent('/experiments?sort=name')}`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  const rows = page.getByRole('rowheader');
  await expect(rows.first()).toBeVisible();
  // MLflow makes one called Default by itself.
  const total = `${(CROWD + 1).toLocaleString('en')} experiments`;
  if (hasScript) await expect(page.getByText(total)).toBeVisible();
  await expect(rows).toHaveCount(100);
  await page.getByRole('link', { name: /^Show 100 more/ }).click();
  await expect(rows).toHaveCount(200);

  // The first ones made are the last that MLflow gives.
  const search = page.getByRole('searchbox', { name: 'Search experiments' });
  await search.fill('crowd-0001');
  await search.press('Enter');
  await expect(page.getByRole('link', { name: 'crowd-0001' })).toBeVisible();
  await search.fill(`crowd-${CROWD}`);
  await search.press('Enter');
  await expect(page.getByRole('link', { name: `crowd-${CROWD}` })).toBeVisible();
  await expect(rows).toHaveCount(1);
});
