// Columns of the runs, chosen faster than the table follows.

import { expect, test } from './lib/test';

test('columns ticked one after the other are all kept', async ({ page, flowdeck, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await visit(`/experiments/${flowdeck.data.ids.sweep}?panel=columns`);
  // The answer waits until everything is ticked.
  let answer = () => {};
  const ticked = new Promise<void>((done) => (answer = done));
  await page.route(/\/runs\/(search|page)$/, async (route) => {
    await ticked;
    await route.continue();
  });
  const panel = page.getByRole('complementary', { name: 'Columns' });
  await panel.getByRole('checkbox', { name: 'stage' }).check();
  await panel.getByRole('checkbox', { name: 'User' }).uncheck();
  await panel.getByRole('checkbox', { name: 'Source' }).check();
  answer();
  await expect(page.getByRole('columnheader', { name: 'stage' })).toBeVisible();
  await expect(page.getByRole('columnheader', { name: 'Source' })).toBeVisible();
  await expect(page.getByRole('columnheader', { name: 'User' })).toHaveCount(0);
  await expect(panel.getByRole('checkbox', { name: 'stage' })).toBeChecked();
});
