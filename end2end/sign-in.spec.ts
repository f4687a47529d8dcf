// Signing in and out.

import { randomInt } from 'node:crypto';

import { chromium } from '@playwright/test';

import { launchOptions } from './lib/flowdeck.mjs';
import { awake } from './lib/guard';
import { expect, fresh, test } from './lib/test';

// Each test comes from an address of its own: wrong passwords slow an address down.
test.use({
  extraHTTPHeaders: async ({}, use) => use({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` }),
});

test('name and password lead in', async ({ page, context, flowdeck, visit, hasScript }) => {
  const { name, password } = flowdeck.data.reader;
  await visit('/experiments');
  await expect(page).toHaveURL(/\/login\?next=%2Fexperiments$/);
  await expect(page).toHaveTitle('Sign in · Flowdeck');
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(`${flowdeck.url}/experiments`);
  await awake(page, hasScript);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
  await expect(page.getByRole('button', { name: `Account of ${name}` })).toBeVisible();

  const cookies = await context.cookies();
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: flowdeck.base || '/' });
  expect(cookies[0].value).not.toContain(password);
});

test('the first page asks to sign in and comes back', async ({ page, flowdeck, visit }) => {
  const { name, password } = flowdeck.data.reader;
  await visit('/');
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByLabel('Password').press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
});

test('a wrong password is told, and the name stays', async ({ page, guard, visit }) => {
  guard.expectStatus(401, /\/login$/);
  const name = `nobody-${fresh()}`;
  await visit('/login');
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('do not match');
  await expect(page.getByLabel('User name')).toHaveValue(name);
  await expect(page.getByLabel('Password')).toHaveValue('');
  await expect(page.getByLabel('Password')).toBeFocused();
});

test('somebody guessing has to wait', async ({ page, guard, request, flowdeck, visit }) => {
  guard.expectStatus(429, /\/login$/);
  const form = { name: `nobody-${fresh()}`, password: 'wrong', next: '' };
  const guess = () => request.post(`${flowdeck.url}/login`, { form, headers: { origin: flowdeck.origin } });
  // Waits grow with each failure: until the next one is long enough to be seen in the form.
  let wait = 0;
  for (let guesses = 0; wait < 4 && guesses < 2000; guesses += 1) {
    const answer = await guess();
    wait = answer.status() === 429 ? Number(answer.headers()['retry-after']) : 0;
  }
  await visit('/login');
  await page.getByLabel('User name').fill(form.name);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText(/Too many attempts\. Try again in \d+ s\./);
});

test('one gets where one wanted to go', async ({ page, flowdeck, visit }) => {
  const { ids, reader } = flowdeck.data;
  await visit(`/experiments/${ids.sweep}?q=trial-007`);
  await page.getByLabel('User name').fill(reader.name);
  await page.getByLabel('Password').fill(reader.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).toHaveURL(`${flowdeck.url}/experiments/${ids.sweep}?q=trial-007`);
  await expect(page.getByRole('link', { name: 'trial-007' })).toBeVisible();
});

for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example/', 'javascript:alert(1)']) {
  test(`next=${next} leads to no other site`, async ({ page, flowdeck, visit }) => {
    const { name, password } = flowdeck.data.reader;
    await visit(`/login?next=${encodeURIComponent(next)}`);
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(`${flowdeck.url}/experiments`);
  });
}

test('who is signed in is not asked again', async ({ page, flowdeck, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await visit('/login?next=%2Faccount');
  await expect(page).toHaveURL(`${flowdeck.url}/account`);
});

test('signing out ends the session on the server', async ({ page, context, another, flowdeck, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  const thief = await another();
  await thief.addCookies(await context.cookies());
  const session = () => thief.request.get(`${flowdeck.url}/api/flowdeck/v1/session`);
  expect((await session()).status()).toBe(200);

  await visit('/experiments');
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('status')).toHaveText('You are signed out.');
  expect((await session()).status()).toBe(401);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in to Flowdeck');
});

test('the back button shows nothing private, not even from the cache of whole pages', async ({ flowdeck, hasScript, guard }) => {
  // Playwright turns that cache off, so this needs a browser of its own.
  const browser = await chromium.launch({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  try {
    const context = await browser.newContext({ javaScriptEnabled: hasScript });
    await guard.watch(context, hasScript);
    const { name, password } = flowdeck.data.reader;
    const page = await context.newPage();
    await page.goto(`${flowdeck.url}/login`);
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
    await awake(page, hasScript);
    await page.getByRole('button', { name: /^Account of/ }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page.getByRole('status')).toHaveText('You are signed out.');
    await page.evaluate(() => history.back());
    await expect(page).toHaveURL(/\/login\?next=/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in to Flowdeck');
  } finally {
    await browser.close();
  }
});

test('another site cannot sign anybody in or out', async ({ context, flowdeck, signIn }) => {
  await signIn(flowdeck.data.reader);
  const { name, password } = flowdeck.data.reader;
  const hostile = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  const login = await context.request.post(`${flowdeck.url}/login`, { form: { name, password }, headers: hostile, maxRedirects: 0 });
  expect(login.status()).toBe(403);
  const logout = await context.request.post(`${flowdeck.url}/logout`, { headers: hostile, maxRedirects: 0 });
  expect(logout.status()).toBe(403);
  expect((await context.request.get(`${flowdeck.url}/api/flowdeck/v1/session`)).status()).toBe(200);
});
