// API keys: from the page to a logged run, and what is done with keys afterwards.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { Page } from '@playwright/test';

import { places } from './lib/flowdeck.mjs';
import { reload } from './lib/guard';
import { expect, fresh, test } from './lib/test';

/** What the MLflow client may say to a key, as one of ours would send it. */
const asKey = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

const SEARCH = '/api/2.0/mlflow/experiments/search?max_results=1';

async function make(page: Page, name: string) {
  await page.getByRole('button', { name: 'New key' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'New API key' });
  await dialog.getByLabel('Name', { exact: true }).fill(name);
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const ready = page.getByRole('region', { name: new RegExp(`${name}.* is ready`) });
  await expect(ready).toBeVisible();
  return ready;
}

test('who has never seen Flowdeck gets to a logged run in three pastes', async ({ page, context, person, signIn, visit, flowdeck }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: flowdeck.origin });
  await signIn(person);
  await visit('/account/keys');
  await expect(page.getByRole('heading', { name: 'No keys yet' })).toBeVisible();
  const ready = await make(page, 'laptop');
  const pastes: string[] = [];
  for (const step of ['Install the client', 'Connect', 'Log a first run']) {
    await ready.getByRole('button', { name: `Copy: ${step}` }).click();
    await expect(ready.getByRole('listitem').filter({ hasText: step })).toContainText('Copied');
    pastes.push(await page.evaluate(() => navigator.clipboard.readText()));
  }
  expect(pastes[1]).toContain(`export MLFLOW_TRACKING_URI=${flowdeck.url}\n`);

  const { code, said } = await paste(pastes);
  expect(said).not.toContain('Traceback');
  expect(code, said).toBe(0);

  await ready.getByRole('link', { name: 'the experiments' }).click();
  await page.getByRole('link', { name: person.name }).click();
  await page.getByRole('link', { name: 'first-steps' }).click();
  await expect(page.getByRole('row').filter({ hasText: '0.42' })).toBeVisible();
  await visit('/account/keys');
  await expect(page.getByRole('row', { name: /laptop/ })).toContainText('127.0.0.1');
  const { experiments } = await person.get('experiments/search', { max_results: '5', filter: `name = '${person.name}/first-steps'` });
  person.made.push(experiments[0].experiment_id);
});

test('the secret is shown once, and not left behind by mistake', async ({ page, person, signIn, visit, flowdeck }) => {
  await signIn(person);
  await visit('/account');
  await page.getByRole('main').getByRole('link', { name: 'API keys' }).click();
  const ready = await make(page, 'guarded');
  const secret = (await ready.getByLabel('The key', { exact: true }).textContent()) ?? '';
  expect(secret).toMatch(/^fd_[0-9A-Za-z]{40,}$/);

  const asked: string[] = [];
  let stay = true;
  page.on('dialog', (dialog) => {
    asked.push(dialog.type());
    void (stay ? dialog.dismiss() : dialog.accept());
  });
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Experiments' }).click();
  await expect(ready).toBeVisible();
  await page.evaluate(() => history.back());
  await expect.poll(() => asked.length).toBe(2);
  await expect(ready).toBeVisible();
  await expect(page).toHaveURL(/\/account\/keys$/);
  await ready.getByRole('button', { name: 'Done' }).click();
  await expect(ready).toBeVisible();
  expect(asked).toEqual(['confirm', 'confirm', 'confirm']);
  stay = false;
  await ready.getByRole('button', { name: 'Done' }).click();
  await expect(ready).toBeHidden();
  await reload(page);
  await expect(page.getByRole('row', { name: /guarded/ })).toContainText(secret.slice(0, 7));
  expect(await page.content()).not.toContain(secret);
  expect((await fetch(flowdeck.url + SEARCH, asKey(secret))).status).toBe(200);
});

test('a key is made with limits, edited, rotated, disabled and revoked', async ({ page, person, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(400, /keys$/);
  const experiment = `limits-${fresh()}`;
  const id = await person.experiment(experiment);
  await signIn(person);
  await visit('/account/keys');
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByLabel('Name', { exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toHaveText('A key needs a name.');
  await dialog.getByLabel('Name', { exact: true }).fill('nightly');
  await dialog.getByRole('checkbox', { name: /^Write/ }).uncheck();
  await dialog.getByLabel('Expires').selectOption('30');
  await dialog.getByText('More limits').click();
  await dialog.getByLabel('Only these experiments').fill(experiment);
  await dialog.getByRole('button', { name: experiment }).click();
  await expect(dialog.getByRole('button', { name: `Remove ${experiment}` })).toBeVisible();
  await dialog.getByLabel('Only from these networks').fill('10.0.0.0/99');
  await dialog.getByLabel('At once').fill('5000000');
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  await expect(dialog.getByRole('alert')).toContainText('10.0.0.0/99 is no network');
  await dialog.getByLabel('Only from these networks').fill('127.0.0.0/8, ::1');
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  // Said by the server, beside its field; what was written is still there.
  await expect(dialog.getByLabel('At once')).toHaveAttribute('aria-invalid', 'true');
  await expect(dialog.getByLabel('Name', { exact: true })).toHaveValue('nightly');
  await dialog.getByLabel('At once').fill('50');
  await dialog.getByRole('button', { name: 'Make the key' }).click();
  const ready = page.getByRole('region', { name: /nightly.* is ready/ });
  const first = (await ready.getByLabel('The key', { exact: true }).textContent()) ?? '';
  const get = (key: string) => fetch(`${flowdeck.url}/api/2.0/mlflow/experiments/get?experiment_id=${id}`, asKey(key));
  expect((await get(first)).status).toBe(200);
  page.on('dialog', (dialog) => void dialog.accept());
  await ready.getByRole('button', { name: 'Done' }).click();
  const row = page.getByRole('row', { name: /nightly/ });
  await expect(row).toContainText('1 experiment');
  await expect(row).toContainText('2 networks');

  const choose = async (item: string) => {
    await page.getByRole('row', { name: /nightly/ }).getByRole('button', { name: /^Actions/ }).click();
    await page.getByRole('group', { name: 'Actions for the key' }).getByText(item).click();
  };
  await choose('Edit…');
  // Somebody else changes something else of it meanwhile; that stays.
  const { keys } = (await (await person.call('GET', '/api/flowdeck/v1/keys')).json()) as { keys: { id: string }[] };
  const key = `/api/flowdeck/v1/keys/${keys[0].id}`;
  await person.call('PATCH', key, { burst: 40, allowed_networks: ['127.0.0.0/8'] });
  // Names are shown, whatever the key holds.
  await expect(dialog.getByRole('button', { name: `Remove ${experiment}` })).toBeVisible();
  await dialog.getByLabel('Name', { exact: true }).fill('nightly training');
  await dialog.getByLabel('Expires').selectOption('never');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(row).toContainText('nightly training');
  await expect(row).toContainText('1 network');
  expect(await (await person.call('GET', key)).json()).toMatchObject({ burst: 40, name: 'nightly training' });
  await expect(row).toContainText('never');

  await choose('Rotate…');
  await dialog.getByLabel('The present secret works on for').selectOption('0');
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  const second = (await page.getByLabel('The key', { exact: true }).textContent()) ?? '';
  expect(second).not.toBe(first);
  expect((await get(first)).status).toBe(401);
  expect((await get(second)).status).toBe(200);
  await page.getByRole('button', { name: 'Done' }).click();

  await choose('Disable');
  await expect(row).toContainText('Disabled');
  expect((await get(second)).status).toBe(401);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(row).toContainText('Active');

  await choose('Revoke…');
  await expect(page.getByRole('dialog', { name: /Revoke .*nightly training/ })).toContainText('for good');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toContainText('Revoked');
  expect((await get(second)).status).toBe(401);
});

test('administrators see all keys, and make service accounts with keys', async ({ page, person, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(400, /service-accounts$/);
  const made = await person.call('POST', '/api/flowdeck/v1/keys', { name: `of-${person.name}` });
  const { id } = (await made.json()) as { id: string };
  await signIn(flowdeck.admin);
  await visit('/account');
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('group', { name: 'Account' }).getByRole('link', { name: 'Admin' }).click();
  await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'API keys' }).click();
  await page.getByRole('searchbox', { name: 'Search keys' }).fill(person.name);
  const keys = page.getByRole('table', { name: 'API keys' });
  await expect(keys.getByRole('row')).toHaveCount(2);
  await expect(page).toHaveURL(new RegExp(`q=${person.name}`));
  page.on('dialog', (dialog) => void dialog.accept());
  await keys.getByRole('button', { name: `Actions for of-${person.name}` }).click();
  await page.getByRole('group', { name: 'Actions for the key' }).getByText('Revoke…').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(keys.getByRole('row', { name: new RegExp(person.name) })).toContainText('Revoked');
  expect(((await (await person.call('GET', `/api/flowdeck/v1/keys/${id}`)).json()) as { state: string }).state).toBe('revoked');

  const name = `robot-${fresh()}`;
  await page.getByLabel('A new one').fill('no spaces, please');
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'ASCII' })).toBeVisible();
  await page.getByLabel('A new one').fill(name);
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  await page.getByRole('button', { name: `New key for ${name}` }).click();
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('ci');
  await page.getByRole('dialog').getByRole('button', { name: 'Make the key' }).click();
  const secret = (await page.getByLabel('The key', { exact: true }).textContent()) ?? '';
  expect((await fetch(flowdeck.url + SEARCH, asKey(secret))).status).toBe(200);
  await page.getByRole('button', { name: 'Done' }).click();
  const accounts = page.getByRole('region', { name: 'Service accounts' });
  await expect(accounts.getByRole('listitem').filter({ hasText: name })).toContainText('1 key');
  await accounts.getByRole('button', { name: `Delete ${name}` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(accounts.getByRole('listitem').filter({ hasText: name })).toHaveCount(0);
  expect((await fetch(flowdeck.url + SEARCH, asKey(secret))).status).toBe(401);
});

/** Pastes into one shell that has Python, and waits for its end. */
async function paste(pastes: string[]) {
  const home = await mkdtemp(join(tmpdir(), 'flowdeck-paste-'));
  try {
    const env = { PATH: `${dirname(places.python)}:/usr/bin:/bin`, HOME: home, NO_PROXY: '127.0.0.1', MLFLOW_DISABLE_TELEMETRY: 'true' };
    const shell = spawn('bash', ['-e'], { cwd: home, env, stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    shell.stdout.on('data', (part) => (said += part));
    shell.stderr.on('data', (part) => (said += part));
    shell.stdin.end(`${pastes.join('\n')}\n`);
    const code = await new Promise<number | null>((done) => shell.on('close', done));
    return { code, said };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

test('after a password reset the keys come back with the next sign-in, unless all are revoked', async ({ page, person, rest, signIn, visit, flowdeck, another }) => {
  const makeKey = async (name: string) => (await (await person.call('POST', '/api/flowdeck/v1/keys', { name })).json()).key as string;
  const keys = [await makeKey('first'), await makeKey('second')];
  const works = async () => Promise.all(keys.map(async (key) => (await fetch(flowdeck.url + SEARCH, asKey(key))).status));
  await signIn(person, await another());
  const password = 'reset by an administrator';
  await rest.call('PATCH', '/api/2.0/mlflow/users/update-password', { username: person.name, password });
  expect(await works()).toEqual([401, 401]);
  await signIn({ name: person.name, password }, await another());
  expect(await works()).toEqual([200, 200]);

  await signIn(flowdeck.admin);
  await visit(`/admin/keys?user=${person.name}`);
  await expect(page.getByText('their keys stop until they sign in with it, and then work again')).toBeVisible();
  await page.getByRole('button', { name: 'Revoke all of them…' }).click();
  const dialog = page.getByRole('dialog', { name: new RegExp(`Revoke all keys of .*${person.name}`) });
  await expect(dialog).toContainText('All 2 keys');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await works()).toEqual([200, 200]);
  await page.getByRole('button', { name: 'Revoke all of them…' }).click();
  await dialog.getByRole('button', { name: 'Revoke 2 keys' }).click();
  await expect(page.getByText(new RegExp(`Revoked 2 keys of .*${person.name}`))).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'Revoked' })).toHaveCount(2);
  await expect(page.getByRole('button', { name: 'Revoke all of them…' })).toHaveCount(0);
  expect(await works()).toEqual([401, 401]);
  await signIn({ name: person.name, password }, await another());
  expect(await works()).toEqual([401, 401]);
});
