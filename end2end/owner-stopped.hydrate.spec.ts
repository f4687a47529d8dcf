// MLflow hangs while an owner works: what Flowdeck knows by itself is shown at once, the rest says what is missing; and a change in whose
// middle it happened is gone on with.

import { Flowdeck } from './lib/flowdeck.mjs';
import type { Rest } from './lib/rest.mjs';
import { person as makePerson } from './lib/seed.mjs';
import { expect, test } from './lib/test';
import { until } from './lib/until.mjs';

// A Flowdeck of its own: what is stopped would be missed by others.
test.describe.configure({ timeout: 240_000 });

const V1 = '/api/flowdeck/v1';
const ROLES = 400;

const deactivates = (owner: Rest, name: string) => done(owner, 'POST', `${V1}/users/${name}/deactivate`);
const deletes = (owner: Rest, name: string) => done(owner, 'DELETE', `${V1}/users/${name}`);
const demotes = (owner: Rest, name: string) => done(owner, 'PATCH', '/api/2.0/mlflow/users/update-admin', { username: name, is_admin: false });

function done(owner: Rest, method: string, path: string, body?: object) {
  return owner.call(method, path, body).then(
    () => true,
    () => false,
  );
}

test('an owner sees an MLflow that hangs, and goes on with what was interrupted', async ({ base, browser, guard }) => {
  const flowdeck = await Flowdeck.start({ base });
  try {
    const admin = await flowdeck.admin();
    const second = await makePerson(admin, 'second');
    // By name and password, which are not kept: nobody goes on with it unasked.
    const authorization = `Basic ${Buffer.from(`${admin.name}:${admin.password}`).toString('base64')}`;
    const call = (path: string, body?: object) =>
      fetch(flowdeck.url + V1 + path, {
        method: body ? 'POST' : 'GET',
        headers: { authorization, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
      });
    const change = (edits: object[]) => call('/changes', { edits, reason: 'for the outage' });
    expect((await change([{ edit: 'admin', user: second.name, was: false, will: true }])).status).toBe(201);

    const context = await browser.newContext({ baseURL: `${flowdeck.url}/`, viewport: { width: 1440, height: 900 } });
    guard.expectOutage();
    await guard.watch(context, true);
    const page = await context.newPage();
    await page.goto(`${flowdeck.url}/login?next=/admin`);
    await page.getByLabel('User name').fill(second.name);
    await page.getByLabel('Password').fill(second.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.goto(`${flowdeck.url}/admin`);
    const figures = page.getByRole('navigation', { name: 'Figures' });
    await expect(figures).toContainText('administrators');

    const roles = Array.from({ length: ROLES }, (_, at) => ({ edit: 'role', role: `team-${at}`, was: null, will: { description: '' } }));
    const making = change(roles).then(({ status }) => status, String);
    await until('the change has begun', 30_000, async () => (await (await call('/changes?limit=1')).json()).changes[0].edits.length === ROLES);
    process.kill(-(await flowdeck.mlflowGroup()), 'SIGSTOP');

    // What Flowdeck knows by itself, and what it read last; it takes a moment to notice.
    await expect(async () => {
      await page.goto(`${flowdeck.url}/admin`);
      await expect(page.getByText(/MLflow does not answer.*read last/)).toBeVisible({ timeout: 5000 });
    }).toPass({ timeout: 60_000 });
    await expect(figures).toContainText(/\dsession/);
    await expect(figures).toContainText('administrators');
    await expect(page.getByRole('region', { name: 'MLflow' })).toContainText('Does not answer');
    await expect(page.getByRole('region', { name: 'Disk' })).toContainText('.db');

    // What needs MLflow says so, and offers to try again; for a few seconds what it said is remembered.
    for (const path of ['users', 'permissions', 'roles']) {
      await expect(async () => {
        await page.goto(`${flowdeck.url}/admin/${path}`);
        await expect(page.getByRole('heading', { name: /MLflow does not answer/ })).toBeVisible({ timeout: 15_000 });
      }).toPass({ timeout: 60_000 });
      await expect(page.getByRole('main').getByText('Try again', { exact: true })).toBeVisible();
    }
    expect(await making).toBe(502);

    await flowdeck.killMlflow();
    await flowdeck.ready();
    await page.goto(`${flowdeck.url}/admin`);
    await page.getByRole('link', { name: 'go on with it or take it back' }).click();
    const row = page.getByRole('table', { name: 'Changes, the last one first' }).getByRole('row').filter({ hasText: 'for the outage' }).first();
    await expect(row).toContainText('Interrupted');
    await row.getByRole('button', { name: 'Go on' }).click();
    await expect(row).toContainText('Made');
    await expect(row.getByRole('button', { name: 'Undo' })).toBeVisible();
    expect((await (await call('/roles?q=team-&limit=1')).json()).total).toBe(ROLES);
    await context.close();

    // Two owners, the only ones, take each other away at the same moment: one of them is left.
    let [one, other] = [admin, second];
    for (const takes of [deactivates, deletes, demotes]) {
      const [first, ...rest] = await Promise.all([takes(one, other.name), takes(other, one.name)]);
      expect([first, ...rest].filter((done) => done), takes.name).toHaveLength(1);
      if (!first) one = other;
      other = await makePerson(one, `after-${takes.name}`);
      await one.call('PATCH', '/api/2.0/mlflow/users/update-admin', { username: other.name, is_admin: true });
    }
  } finally {
    await flowdeck.stop();
  }
});
