// An owner's whole way with people: made by a link, given a role and what it may, put out, let in again, and deleted. What MLflow holds
// afterwards is asked of MLflow.

import { randomInt } from 'node:crypto';

import type { Page } from '@playwright/test';

import type { Rest } from './lib/rest.mjs';
import { expect, fresh, test } from './lib/test';

// From an address of its own: attempts to sign in with a password that has stopped slow an address down.
test.use({
  extraHTTPHeaders: async ({}, use) => use({ 'x-forwarded-for': `10.${randomInt(256)}.${randomInt(256)}.${randomInt(256)}` }),
});

const dialog = (page: Page) => page.getByRole('dialog');

/** Looks at what a change would do, and makes it. */
async function apply(page: Page, says: RegExp | string) {
  const make = page.getByRole('button', { name: 'Apply', exact: true });
  // It may lie above the form that asked for it.
  const review = dialog(page).filter({ has: make });
  await expect(review).toContainText(says);
  await make.click();
  await expect(dialog(page)).toHaveCount(0);
}

/** Picks by a part of the name. */
async function choose(page: Page, field: string, name: string) {
  await page.getByRole('searchbox', { name: field }).fill(name);
  await page.getByRole('button', { name, exact: true }).click();
}

test('a person is made, let in by a link, given a role, put out and deleted', async ({ page, flowdeck, rest, signIn, visit, another, guard }) => {
  test.setTimeout(120_000);
  guard.expectStatus(400, /v1\/users$/);
  guard.expectStatus(401);
  guard.expectStatus(404, /people-|team-/);
  const name = `people-${fresh()}`;
  const team = `team-${fresh()}`;
  const password = `correct horse ${fresh()}`;
  const experiment = await rest.experiment(`given-${fresh()}`);
  await signIn(flowdeck.admin);
  try {
    // Made; a name that cannot be is answered at its field.
    await visit('/admin/users');
    await page.keyboard.press('n');
    const field = dialog(page).getByLabel('Name', { exact: true });
    await expect(field).toBeFocused();
    await field.fill('not a name');
    await page.keyboard.press('Enter');
    await expect(field).toHaveAccessibleDescription(/Only plain \(ASCII\)/);
    await field.fill(flowdeck.admin.name);
    await page.keyboard.press('Enter');
    await expect(field).toHaveAccessibleDescription(/already/);
    await field.fill(name);
    await dialog(page).getByRole('button', { name: 'Make the user' }).click();
    const card = page.getByRole('region', { name: new RegExp(`^A link for .*${name}`) });
    const link = (await card.getByLabel('The link', { exact: true }).textContent()) ?? '';
    await card.getByRole('button', { name: 'Done' }).click();
    await expect(card).toBeHidden();

    // Found by the server, and the address says what was asked for.
    await page.getByRole('searchbox', { name: 'Search users' }).fill(name);
    const row = page.getByRole('table', { name: 'Users' }).getByRole('row').filter({ hasText: name });
    await expect(row).toContainText('Invited');
    await expect(page.getByRole('table', { name: 'Users' }).getByRole('row')).toHaveCount(2);
    await expect(page).toHaveURL(new RegExp(`q=${name}`));

    // The person, in a browser of their own, sets a password and signs in.
    const theirs = await (await another()).newPage();
    await theirs.goto(link);
    await theirs.getByLabel('New password', { exact: true }).fill(password);
    await theirs.getByLabel('New password, once more').fill(password);
    await theirs.getByRole('button', { name: 'Set the password' }).click();
    await theirs.getByRole('link', { name: 'Go to the sign-in page' }).click();
    await theirs.getByLabel('Password').fill(password);
    await theirs.getByRole('button', { name: 'Sign in' }).click();
    await expect(theirs.getByRole('button', { name: `Account of ${name}` })).toBeVisible();

    // A role, with a grant and a member.
    await page.getByRole('navigation', { name: 'Admin' }).getByRole('link', { name: 'Roles' }).click();
    await page.getByRole('button', { name: 'New role' }).first().click();
    await dialog(page).getByLabel('Name', { exact: true }).fill('a/b');
    await dialog(page).getByLabel('What it is for').fill('People of the test');
    await dialog(page).getByRole('button', { name: 'Go on…' }).click();
    await expect(dialog(page).getByLabel('Name', { exact: true })).toHaveAccessibleDescription(/no slashes/);
    await expect(dialog(page).getByLabel('What it is for')).toHaveValue('People of the test');
    await dialog(page).getByLabel('Name', { exact: true }).fill(team);
    await dialog(page).getByRole('button', { name: 'Go on…' }).click();
    await apply(page, 'is made');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(team);
    await expect(page).toHaveURL(new RegExp(`/admin/roles/${team}$`));

    await choose(page, 'On', (await rest.get('experiments/get', { experiment_id: experiment })).experiment.name);
    await page.getByLabel('Level', { exact: true }).selectOption('EDIT');
    await page.getByRole('button', { name: 'Grant…' }).click();
    await apply(page, 'EDIT');
    const grants = page.getByRole('region', { name: 'Grants' });
    await expect(grants.getByRole('row').filter({ hasText: 'given-' })).toContainText('experiment');

    await choose(page, 'Give it to', name);
    await page.getByRole('button', { name: 'Add…' }).click();
    await apply(page, '1 person gains something on 1 thing');
    const members = page.getByRole('region', { name: 'Members' });
    await expect(members.getByRole('link', { name })).toBeVisible();
    expect(await roles(rest, name)).toEqual([team]);
    // Undone by the notice, and made again.
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await expect(members).toContainText('Nobody has it.');
    expect(await roles(rest, name)).toEqual([]);
    await choose(page, 'Give it to', name);
    await page.getByRole('button', { name: 'Add…' }).click();
    await apply(page, name);
    await members.getByRole('link', { name }).click();

    // Their page.
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);
    await expect(page.getByRole('region', { name: 'Roles' })).toContainText(team);
    await expect(page.getByRole('region', { name: 'Browser sessions' })).toContainText('signed in');
    await page.getByRole('button', { name: 'Make administrator…' }).click();
    await apply(page, 'becomes an administrator');
    await expect(page.getByRole('region', { name: 'Who it is' })).toContainText('Administratoryes');
    expect((await rest.get('users/get', { username: name })).user.is_admin).toBe(true);
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await expect(page.getByRole('region', { name: 'Who it is' })).toContainText('Administratorno');
    expect((await rest.get('users/get', { username: name })).user.is_admin).toBe(false);

    // Out: their browser, their password, within a moment.
    await page.getByRole('button', { name: 'Deactivate…' }).click();
    await expect(dialog(page)).toContainText('stop at once');
    await dialog(page).getByRole('button', { name: 'Deactivate', exact: true }).click();
    await expect(page.getByRole('region', { name: 'Who it is' })).toContainText('Deactivated');
    await theirs.goto(`${flowdeck.url}/experiments`);
    await expect(theirs.getByRole('button', { name: 'Sign in' })).toBeVisible();
    await expect(rest.as(name, password).get('experiments/search', { max_results: '1' })).rejects.toThrow(/401/);
    await expect(page.getByRole('button', { name: 'Reset the password…' })).toHaveCount(0);
    await page.getByRole('button', { name: 'Reactivate…' }).click();
    await dialog(page).getByRole('button', { name: 'Reactivate', exact: true }).click();
    await expect(page.getByRole('region', { name: new RegExp(`^A link for .*${name}`) })).toBeVisible();

    // Gone, once the name was typed.
    await page.getByRole('button', { name: 'Delete…' }).click();
    await expect(dialog(page)).toContainText('Has 1 role.');
    await expect(dialog(page).getByRole('button', { name: 'Delete' })).toBeDisabled();
    await dialog(page).getByLabel(`Type ${name} to delete it`).fill(name);
    await dialog(page).getByRole('button', { name: 'Delete' }).click();
    await expect(page).toHaveURL(/\/admin\/users$/);
    await expect(rest.get('users/get', { username: name })).rejects.toThrow(/404/);

    // Taken back: as MLflow says, the account is there again with its role.
    await visit(`/admin/changes?user=${name}`);
    const last = page.getByRole('row').filter({ hasText: 'active → none' }).first();
    await last.getByRole('button', { name: 'Undo…' }).click();
    await expect(dialog(page)).toContainText('is made anew, without password');
    await dialog(page).getByRole('button', { name: 'Apply' }).click();
    await expect(page.getByText('Taken back').first()).toBeVisible();
    await expect(last).toContainText('Taken back');
    expect((await rest.get('users/get', { username: name })).user.is_admin).toBe(false);
    expect(await roles(rest, name)).toEqual([team]);

    // The role goes with what it granted.
    await visit(`/admin/roles/${team}`);
    await page.getByRole('button', { name: 'Delete…' }).click();
    await apply(page, 'is deleted');
    await expect(page.getByText(`Not found: the role ${team}`)).toBeVisible();
    const left = await rest.call('GET', '/api/3.0/mlflow/roles/list?workspace=default');
    expect(await left.text()).not.toContain(team);
  } finally {
    await page.goto('about:blank');
    await rest.call('DELETE', `/api/flowdeck/v1/users/${name}`).catch(() => undefined);
    await rest.post('experiments/delete', { experiment_id: experiment });
  }
});

test('grants come from a file, after a look at what they would change', async ({ page, person, rest, flowdeck, signIn, visit }) => {
  const id = await rest.experiment(`from-file-${fresh()}`);
  await signIn(flowdeck.admin);
  await visit('/admin/import');
  const text = page.getByLabel('Grants, as CSV');
  const look = page.getByRole('button', { name: 'Show what it would change' });
  const head = 'user,resource_type,resource,permission\n';
  await text.fill(`${head}${person.name},experiment,${id},EDIT\nnobody-at-all,experiment,${id},EDIT\n`);
  await look.click();
  await expect(page.getByText(/^Line 3: /)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Review and apply…' })).toHaveCount(0);
  const choose = (lines: string) => page.getByLabel('Choose a file').setInputFiles({ name: 'grants.csv', mimeType: 'text/csv', buffer: Buffer.from(head + lines) });
  const answers = /access\/import$/;
  let release = () => {};
  const released = new Promise<void>((done) => (release = done));
  await page.route(answers, (route) => released.then(() => route.continue()), { times: 1 });
  const asked = page.waitForRequest(answers);
  await choose(`nobody-at-all,experiment,${id},READ\n`);
  const slow = await asked;
  // What was found is of another file.
  await expect(page.getByText(/^Line \d: /)).toHaveCount(0);
  await choose(`${person.name},experiment,${id},EDIT\n`);
  await expect(page.getByText('1 grant would change.')).toBeVisible();
  // So is an answer that comes late.
  release();
  await (await slow.response())?.finished();
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  await expect(page.getByText('1 grant would change.')).toBeVisible();
  await expect(page.getByText(/^Line \d: /)).toHaveCount(0);
  await page.getByRole('button', { name: 'Review and apply…' }).click();
  await apply(page, person.name);
  await expect(page.getByText('One line is so already.')).toBeVisible();
  const granted = await rest.call('GET', `/api/3.0/mlflow/users/permissions/list?username=${person.name}`);
  expect(await granted.text()).toMatch(new RegExp(`"EDIT"[^}]*"${id}"|"${id}"[^}]*"EDIT"`));
  await rest.post('experiments/delete', { experiment_id: id });
});

test('a group gives its roles to who comes into it', async ({ page, person, rest, flowdeck, signIn, visit, guard }) => {
  guard.expectStatus(404, /groups\/group-/);
  const [role, group] = [`role-${fresh()}`, `group-${fresh()}`];
  const edits = [{ edit: 'role', role, was: null, will: { description: '' } }];
  await rest.call('POST', '/api/flowdeck/v1/changes', { edits });
  await signIn(flowdeck.admin);
  await visit('/admin/groups');
  await page.getByRole('button', { name: 'New group' }).first().click();
  await dialog(page).getByLabel('Name', { exact: true }).fill(group);
  await dialog(page).getByRole('button', { name: 'Go on…' }).click();
  await apply(page, 'is made');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(group);
  await choose(page, 'Give its members', role);
  await page.getByRole('region', { name: 'Roles' }).getByRole('button', { name: 'Add…' }).click();
  await apply(page, role);
  await expect(page.getByRole('region', { name: 'Roles' }).getByRole('link', { name: role })).toBeVisible();
  await choose(page, 'Take in', person.name);
  await page.getByRole('region', { name: 'Members' }).getByRole('button', { name: 'Add…' }).click();
  await apply(page, person.name);
  await expect(page.getByRole('region', { name: 'Members' }).getByRole('link', { name: person.name })).toBeVisible();
  expect(await roles(rest, person.name)).toEqual([role]);
  await page.getByRole('button', { name: `Take member ${person.name} away` }).click();
  await apply(page, person.name);
  await expect(page.getByRole('region', { name: 'Members' })).toContainText('Nobody is in it.');
  expect(await roles(rest, person.name)).toEqual([]);
  await page.getByRole('button', { name: 'Delete…' }).click();
  await apply(page, 'is deleted');
  const gone = [{ edit: 'role', role, was: { description: '' }, will: null }];
  await rest.call('POST', '/api/flowdeck/v1/changes', { edits: gone });
});

test('a setting is changed while Flowdeck runs; what cannot be is told at its field, and who was faster too', async ({ page, rest, flowdeck, signIn, visit, guard }) => {
  guard.expectStatus(400, /settings\/invite_hours$/);
  guard.expectStatus(409, /settings\/invite_hours$/);
  const setting = async () => {
    const { settings } = await (await rest.call('GET', '/api/flowdeck/v1/settings')).json();
    return settings.find(({ name }: { name: string }) => name === 'invite_hours');
  };
  const put = async (value: string | null) => rest.call('PATCH', '/api/flowdeck/v1/settings/invite_hours', { value, version: (await setting()).version });
  await signIn(flowdeck.admin);
  try {
    await visit('/admin/settings');
    const field = page.getByLabel('invite_hours');
    const save = page.locator('form').filter({ has: field }).getByRole('button', { name: 'Save' });
    await field.fill('many');
    await save.click();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveValue('many');
    await field.fill('48');
    await save.click();
    await expect(page.getByText('started with 72')).toBeVisible();
    expect((await setting()).value).toBe('48');
    await put('50');
    await field.fill('49');
    await save.click();
    await page.getByRole('button', { name: 'Look at it as it is now' }).click();
    await expect(field).toHaveValue('50');
    await page.getByRole('button', { name: 'Back to 72' }).click();
    await expect(page.getByText('started with 72')).toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Who changed what' })).toContainText(': 50 → what it was started with');
  } finally {
    await put(null).catch(() => undefined);
  }
});

test('the last administrator is told why nothing takes them away', async ({ page, flowdeck, signIn, visit }) => {
  await signIn(flowdeck.admin);
  await visit(`/admin/users/${flowdeck.admin.name}`);
  await expect(page.getByText('The last administrator who can sign in.')).toBeVisible();
  for (const label of ['Make no administrator…', 'Deactivate…', 'Delete…']) await expect(page.getByRole('button', { name: label })).toHaveCount(0);
});

/** The roles that MLflow says somebody has, but for what it keeps for direct grants. */
async function roles(rest: Rest, name: string): Promise<string[]> {
  const { roles } = await (await rest.call('GET', `/api/3.0/mlflow/users/roles/list?username=${name}`)).json();
  return roles.map((role: { name: string }) => role.name).filter((role: string) => !role.startsWith('__user_'));
}
