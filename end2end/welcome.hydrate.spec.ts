// The one-time link with which a new person sets their own password.

import { randomInt } from 'node:crypto';

import { expect, fresh, test } from './lib/test';

// From an address of its own: links that are worth nothing slow an address down.
test.use({
  extraHTTPHeaders: async ({}, use) => use({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` }),
});

test('a new person sets a password by the link, signs in with it, and the link is used up', async ({ page, flowdeck, rest, guard }) => {
  guard.expectStatus(401, /\/invites\/look$/);
  guard.expectStatus(429, /\/invites\/redeem$/);
  const name = `invited-${fresh()}`;
  const { link } = await (await rest.call('POST', '/api/flowdeck/v1/users', { name })).json();
  const token = new URL(link.href).hash.slice(1);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(`${request.url()} ${JSON.stringify(request.headers())}`));
  const first = page.getByLabel('New password', { exact: true });
  const again = page.getByLabel('New password, once more');
  const set = page.getByRole('button', { name: 'Set the password' });
  try {
    await page.goto(link.href);
    await expect(page.getByText(`You are invited as ${name}. This link works once, until`)).toBeVisible();
    await expect(page).toHaveURL(`${flowdeck.url}/welcome`);
    await expect(first).toBeFocused();

    // What is wrong is told beside it, and nothing that was typed is lost.
    await first.fill('too short');
    await set.click();
    await expect(first).toHaveAccessibleDescription(/^Too short: it needs at least 12 characters\./);
    await expect(first).toBeFocused();
    await first.fill('pässword enough');
    await set.click();
    await expect(first).toHaveAccessibleDescription(/^Only plain \(ASCII\)/);
    const password = `correct horse ${fresh()}`;
    await first.fill(password);
    await again.fill(`${password}!`);
    await set.click();
    await expect(again).toHaveAccessibleDescription('The two passwords differ.');
    await expect(again).toBeFocused();
    await expect(first).toHaveValue(password);
    await expect(first).toHaveAccessibleDescription(/^At least 12/);
    await again.fill(password);
    await page.route('**/invites/redeem', (route) => route.fulfill({ status: 429, headers: { 'retry-after': '7' }, json: {} }), { times: 1 });
    await set.click();
    await expect(page.getByRole('alert')).toHaveText('Too many attempts. Try again in 7 s.');
    await expect(again).toHaveValue(password);

    await set.click();
    await expect(page.getByRole('status')).toHaveText('Your password is set. Sign in with it.');
    await expect(set).toBeHidden();
    await page.getByRole('link', { name: 'Go to the sign-in page' }).click();
    await expect(page.getByLabel('User name')).toHaveValue(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('button', { name: `Account of ${name}` })).toBeVisible();

    await page.goto(link.href);
    await expect(page.getByRole('alert')).toContainText('This link was used');
    await expect(first).toBeHidden();
    await page.goto(`${flowdeck.url}/welcome#${token.slice(0, -3)}`);
    await expect(page.getByRole('alert')).toContainText('This is not the whole link.');
    expect(asked.filter((request) => request.includes(token))).toEqual([]);
  } finally {
    await page.goto('about:blank');
    await rest.call('DELETE', `/api/flowdeck/v1/users/${name}`);
  }
});
