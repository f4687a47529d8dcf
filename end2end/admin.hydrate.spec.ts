// How Flowdeck and MLflow are doing, for administrators alone.

import { expect, test } from './lib/test';

test('MLflow as it is, and pictures that can be read', async ({ page, signIn, visit, flowdeck }) => {
  // The first point comes within a minute of the start.
  test.setTimeout(180_000);
  await signIn(flowdeck.admin);
  await visit('/admin');
  const mlflow = page.getByRole('region', { name: 'MLflow' });
  await expect(mlflow).toContainText('Up');
  await expect(mlflow).toContainText(/Version\s*3\.\d+\.\d+/);
  await expect(mlflow).toContainText('basic-auth');
  const chart = page.getByRole('img', { name: /^Calls a minute\. all: last/ });
  await expect(chart).toBeVisible({ timeout: 90_000 });
  await chart.focus();
  await page.keyboard.press('Home');
  await expect(page.getByRole('figure').filter({ hasText: 'Calls a minute' })).toContainText(/\d\d:\d\d\s*all/);
  await page.getByRole('link', { name: '24 hours' }).click();
  await expect(page).toHaveURL(/hours=24/);
  await expect(chart).toBeVisible();
  await page.getByRole('link', { name: 'Refused ones' }).click();
  await expect(page).toHaveURL(/\/admin\/audit\?status=4xx&last=1h/);
});

test('who is no administrator is told so', async ({ page, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(403, /\/admin/);
  await signIn(flowdeck.data.reader);
  for (const path of ['/admin', '/admin/keys']) {
    await visit(path);
    await expect(page.getByRole('heading', { name: /^You may not see/ })).toBeVisible();
  }
  await page.getByRole('button', { name: /^Account of/ }).click();
  await expect(page.getByRole('group', { name: 'Account' }).getByRole('link', { name: 'API keys' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'Account' }).getByRole('link', { name: 'Admin' })).toHaveCount(0);
});
