// A page of runs that does not come.

import { expect, test } from './lib/test';

test('the page before is not passed off as it, and the next try brings it', async ({ flowdeck, guard, page, signIn, visit }) => {
  guard.expectStatus(500, /runs\/search/);
  await signIn(flowdeck.data.reader);
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  await expect(page.getByText('1–100 of 100+ runs')).toBeVisible();
  const body = JSON.stringify({ error_code: 'INTERNAL_ERROR', message: 'MLflow failed' });
  await page.route('**/runs/search', (route) => route.fulfill({ status: 500, contentType: 'application/json', body }), { times: 1 });
  await page.getByRole('navigation', { name: 'Pages of runs' }).getByRole('link', { name: 'Next' }).click();
  const alert = page.getByRole('alert').filter({ hasText: 'the runs' });
  await expect(alert).toBeVisible();
  await expect(page.getByRole('link', { name: 'trial-249' })).toHaveCount(0);
  await alert.getByRole('link', { name: 'Try again' }).click();
  await expect(page.getByText('101–200 of 200+ runs')).toBeVisible();
  await expect(page.getByRole('link', { name: 'trial-149' })).toBeVisible();
});
