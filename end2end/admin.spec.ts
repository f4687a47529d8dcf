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

test('owners have the pages for owners in the rail, and others are told whose they are, and nothing else', async ({ page, person, signIn, visit, flowdeck, guard, hasScript }) => {
  guard.expectStatus(403, /\/admin|\/api\//);
  const rail = page.getByRole('navigation', { name: 'Pages' });
  const menu = page.getByRole('group', { name: 'Account' });
  await signIn(flowdeck.admin);
  await visit('/experiments');
  await rail.getByRole('link', { name: 'Admin' }).click();
  await expect(page).toHaveURL(/\/admin$/);
  await expect(rail.getByRole('link', { name: 'Admin' })).toHaveAttribute('aria-current', 'page');
  await awake(page, hasScript);
  await page.getByRole('button', { name: /^Account of/ }).click();
  await expect(menu.getByRole('link', { name: 'Admin' })).toBeVisible();

  // What the page still asks for would be asked for by somebody else.
  await page.goto('about:blank');
  await signIn(person);
  for (const path of ['users', 'users/reader', 'roles', 'groups', 'permissions', 'rules', 'changes', 'settings', 'import', 'keys', '']) {
    await visit(`/admin/${path}`.replace(/\/$/, ''));
    await expect(page.getByRole('heading', { level: 1, name: /^You may not see/ })).toBeVisible();
    await expect(page.locator('.page').getByRole('link')).toHaveText(['Your own access']);
    await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
    await expect(page.getByRole('main').getByRole('textbox')).toHaveCount(0);
  }
  await expect(rail.getByRole('link', { name: 'Account' })).toBeVisible();
  await expect(rail.getByRole('link', { name: 'Admin' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Your own access' }).click();
  await expect(page).toHaveURL(/\/account\/access$/);
});
