// What one person did: one's own history, and the page of a user for administrators. With a script and without.

import { awake } from './lib/guard';
import { expect, fresh, test } from './lib/test';

const changes = 'Changes, the last one first';

test('everybody sees what they did, in a browser and by programs, and nobody else', async ({ page, person, rest, signIn, visit, hasScript }) => {
  const name = `done-${fresh()}`;
  const id = await person.experiment(name);
  const key = await (await person.call('POST', '/api/flowdeck/v1/keys', { name: 'nightly' })).json();
  const program = await fetch(`${person.url}/api/2.0/mlflow/experiments/set-experiment-tag`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ experiment_id: id, key: 'by', value: 'a program' }),
  });
  expect(program.status).toBe(200);
  await rest.post('experiments/set-experiment-tag', { experiment_id: id, key: 'by', value: 'somebody else' });

  await signIn(person);
  await visit('/account');
  await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'History' }).click();
  const table = page.getByRole('table', { name: changes });
  const tag = table.getByRole('row').filter({ hasText: 'set a tag of the experiment' });
  await expect(tag).toHaveCount(1);
  await expect(tag).toContainText(/API key .*nightly/);
  await expect(tag).toContainText('127.0.0.1');
  await expect(table.getByRole('row').filter({ hasText: 'created the experiment' })).toContainText('password');
  await expect(table.getByRole('row').filter({ hasText: 'signed in' })).toContainText('browser');
  await expect(table.getByRole('row').filter({ hasText: 'GET' })).toHaveCount(0);

  await page.getByRole('navigation', { name: 'Which calls' }).getByRole('link', { name: 'All calls' }).click();
  await expect(table.getByRole('row').filter({ hasText: 'GET /account' }).first()).toBeVisible();
  await awake(page, hasScript);
  await tag.getByRole('link', { name: `experiment ${id}` }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
});

test('an administrator gets from a call and from a key to the user behind them', async ({ page, person, signIn, visit, flowdeck, hasScript }) => {
  const id = await person.experiment(`seen-${fresh()}`);
  await person.call('POST', '/api/flowdeck/v1/keys', { name: 'one' });
  await person.call('POST', '/api/flowdeck/v1/keys', { name: 'two' });
  await signIn(flowdeck.admin);
  await visit(`/admin/audit?user=${person.name}&method=POST`);
  await page.getByRole('table', { name: 'Calls, newest first' }).getByRole('link', { name: person.name }).first().click();
  await expect(page).toHaveURL(new RegExp(`/admin/users/${person.name}$`));
  await expect(page).toHaveTitle(`${person.name} · Flowdeck`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  await expect(page.getByRole('region', { name: 'Who it is' })).toContainText('Administratorno');
  const keys = page.getByRole('region', { name: 'API keys' });
  await expect(keys).toContainText('2 active');
  await awake(page, hasScript);
  await keys.getByRole('link', { name: 'See and revoke them' }).click();
  await expect(page.getByText(`Only the keys of ${person.name}`)).toBeVisible();
  const table = page.getByRole('table', { name: 'API keys' });
  await expect(table.getByRole('row')).toHaveCount(3);
  await awake(page, hasScript);
  await table.getByRole('link', { name: person.name }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  await page.getByRole('navigation', { name: 'User', exact: true }).getByRole('link', { name: 'History' }).click();
  const created = page.getByRole('table', { name: changes }).getByRole('row').filter({ hasText: 'created the experiment' });
  await expect(created.getByRole('link', { name: `experiment ${id}` })).toBeVisible();
});

test('a user page is for administrators, and for oneself', async ({ page, person, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(403, /admin\/users\/admin$|users\/get$/);
  await signIn(person);
  await visit('/admin/users/admin');
  await expect(page.getByRole('heading', { name: 'You may not see the user admin' })).toBeVisible();
  await visit(`/admin/users/${person.name}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(person.name);
  await expect(page.getByRole('region', { name: 'API keys' })).toContainText('None.');
  expect(flowdeck.admin.name).toBe('admin');
});

test('a user whom MLflow does not know any more still has a history', async ({ page, rest, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(404, /admin\/users\//);
  const name = `gone/with spaces & 100% ${fresh()}`;
  await rest.post('users/create', { username: name, password: 'knows it by heart' });
  await rest.as(name, 'knows it by heart').experiment(`left-${fresh()}`).then((id) => rest.made.push(id));
  await rest.call('DELETE', '/api/2.0/mlflow/users/delete', { username: name });
  await signIn(flowdeck.admin);
  const answer = await page.goto(`${flowdeck.url}/admin/users/${encodeURIComponent(name)}`);
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
  await expect(page.getByText('MLflow has no user of this name.')).toBeVisible();
  await page.getByRole('navigation', { name: 'User', exact: true }).getByRole('link', { name: 'History' }).click();
  await expect(page.getByRole('table', { name: changes })).toContainText('created the experiment');
});
