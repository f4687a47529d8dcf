// Keys and audit, read: with a script and without.

import { awake } from './lib/guard';
import { expect, test } from './lib/test';

test('keys and calls are in the document, and found by forms', async ({ page, person, signIn, visit, flowdeck, hasScript }) => {
  await person.call('POST', '/api/flowdeck/v1/keys', { name: `of-${person.name}`, scopes: ['read'], experiments: ['1'] });
  await signIn(person);
  await visit('/account');
  await page.getByRole('main').getByRole('link', { name: 'API keys' }).click();
  await expect(page).toHaveTitle('API keys · Flowdeck');
  const row = page.getByRole('row', { name: `of-${person.name}` });
  for (const text of ['read', '1 experiment', 'not yet', 'never', 'Active']) await expect(row).toContainText(text);

  await signIn(flowdeck.admin);
  await visit('/admin/keys');
  await page.getByRole('searchbox', { name: 'Search keys' }).fill(person.name);
  if (!hasScript) await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('table', { name: 'API keys' }).getByRole('row')).toHaveCount(2);

  await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Audit' }).click();
  await awake(page, hasScript);
  await page.getByLabel('User', { exact: true }).fill(person.name);
  await page.getByLabel('Method', { exact: true }).selectOption('POST');
  await page.getByRole('button', { name: 'Search' }).click();
  const calls = page.getByRole('table', { name: 'Calls, newest first' });
  const made = calls.getByRole('row').filter({ hasText: '/flowdeck/v1/keys' });
  await expect(made).toHaveCount(1);
  await made.getByRole('link').first().click();
  await expect(calls).toContainText('Request id');
});
