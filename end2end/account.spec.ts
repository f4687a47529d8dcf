// One's own account: sessions and password.

import { awake } from './lib/guard';
import { expect, test } from './lib/test';

test('who one is, and where one is signed in', async ({ page, another, person, flowdeck, signIn, visit, hasScript }) => {
  await signIn(person);
  const other = await another();
  await signIn(person, other);
  await visit('/experiments');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Account' }).click();
  await expect(page).toHaveTitle('Account · Flowdeck');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  await expect(page.getByText(/MLflow 3\.\d+\.\d+/)).toBeVisible();
  const sessions = page.getByRole('region', { name: 'Where you are signed in' });
  await expect(sessions.getByRole('listitem')).toHaveCount(2);
  await expect(sessions.getByRole('listitem').first()).toContainText('this one');

  const still = async () => (await other.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status();
  expect(await still()).toBe(200);
  await sessions.getByLabel('Your password, to end a session').fill(person.password);
  await sessions.getByRole('button', { name: /^End the session of/ }).click();
  await expect(page.getByText('Ended. Whoever used it has to sign in again.')).toBeVisible();
  await awake(page, hasScript);
  await expect(sessions.getByRole('listitem')).toHaveCount(1);
  expect(await still()).toBe(401);

  // Whoever sat there is asked to sign in, and comes back to the page.
  const theirs = await visit('/account', await other.newPage());
  await expect(theirs).toHaveURL(/\/login\?.*next=%2Faccount/);
});

test('all other sessions end at once', async ({ page, another, person, flowdeck, signIn, visit }) => {
  const others = [await another(), await another()];
  for (const other of others) await signIn(person, other);
  await signIn(person);
  await visit('/account');
  const password = page.getByLabel('Your password, to end a session');
  const end = page.getByRole('button', { name: 'End all other sessions' });
  // Without the password the browser asks for it and sends nothing.
  await end.click();
  await expect(password).toBeFocused();
  await password.fill('this is not it');
  await end.click();
  await expect(page.getByRole('alert')).toContainText('That is not your password. No session was ended.');
  await expect(password).toHaveAttribute('aria-invalid', 'true');
  for (const other of others) expect((await other.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status()).toBe(200);
  await password.fill(person.password);
  await password.press('Enter');
  await expect(page.getByText('Ended. Whoever used it')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem')).toHaveCount(1);
  for (const other of others) expect((await other.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status()).toBe(401);
});

test('a new password: the old one and the other sessions are over', async ({ page, context, another, person, flowdeck, signIn, visit }) => {
  const other = await another();
  await signIn(person, other);
  await signIn(person);
  const before = await context.cookies();
  await visit('/account');
  const chosen = 'correct horse battery staple';
  const change = async (current: string, next: string, repeat: string) => {
    await page.getByLabel('Current password').fill(current);
    await page.getByLabel('New password', { exact: true }).fill(next);
    await page.getByLabel('New password, once more').fill(repeat);
    await page.getByRole('button', { name: 'Change the password' }).click();
  };

  await change('this is not it', chosen, chosen);
  await expect(page.getByRole('alert')).toContainText('The current password is not right');
  await expect(page.getByLabel('Current password')).toHaveAttribute('aria-invalid', 'true');
  await change(person.password, chosen, `${chosen}!`);
  await expect(page.getByRole('alert')).toContainText('The two new passwords differ');
  await change(person.password, 'pässwörter sind länger', 'pässwörter sind länger');
  await expect(page.getByRole('alert')).toContainText('ASCII');
  await change(person.password, person.password, person.password);
  await expect(page.getByRole('alert')).toContainText('The new password is the old one');

  await change(person.password, chosen, chosen);
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  expect((await other.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status()).toBe(401);
  // The ticket was exchanged: a copy of the old one is worth nothing.
  const copied = await another();
  await copied.addCookies(before);
  expect((await copied.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status()).toBe(401);
  await visit('/experiments');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
  const third = await another();
  await signIn({ name: person.name, password: chosen }, third);
});
