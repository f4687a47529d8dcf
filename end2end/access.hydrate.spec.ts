// Who may do what: granted, looked into, taken back, kept up by rules, several at once. What MLflow holds afterwards is asked of MLflow.

import type { Page } from '@playwright/test';

import { reload } from './lib/guard';
import type { Rest } from './lib/rest.mjs';
import { expect, fresh, test } from './lib/test';

/** How MLflow answers when somebody writes into an experiment, and when they read it. */
async function edits(who: Rest, id: string) {
  return ask(who, 'POST', '/api/2.0/mlflow/experiments/set-experiment-tag', { experiment_id: id, key: 'by', value: who.name });
}

async function reads(who: Rest, id: string) {
  return ask(who, 'GET', `/api/2.0/mlflow/experiments/get?experiment_id=${id}`);
}

async function ask(who: Rest, method: string, path: string, body?: unknown) {
  const headers = { authorization: who.authorization, 'content-type': 'application/json' };
  const answer = await fetch(who.url + path, { method, headers, body: body ? JSON.stringify(body) : undefined });
  return answer.status;
}

const grant = (to: object, id: string, was: string | null, will: string | null) => ({ edit: 'grant', to, on: { kind: 'experiment', id }, was, will });

/** Makes a change as another owner does. */
async function change(rest: Rest, ...edits: object[]) {
  return (await rest.call('POST', '/api/flowdeck/v1/changes', { edits, reason: '' })).json();
}

async function apply(page: Page, gains: RegExp) {
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(gains);
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(dialog).toBeHidden();
}

const rows = (page: Page) => page.getByRole('table', { name: 'Who has access' }).getByRole('row');

test('access to an experiment is granted, looked into and taken back', async ({ page, person, rest, signIn, visit, flowdeck }) => {
  const id = await rest.experiment(`granted-${fresh()}`);
  await signIn(flowdeck.admin);
  await visit(`/experiments/${id}`);
  await page.getByRole('navigation', { name: 'Experiment' }).getByRole('link', { name: 'Access' }).click();
  const form = page.getByRole('form', { name: 'Grant access' });
  await form.getByLabel('Name').fill('nobody-of-this-name');
  await form.getByLabel('Level').selectOption('EDIT');
  await form.getByRole('button', { name: 'Review…' }).click();
  await expect(form.getByRole('alert')).toHaveText('There is no user of this name.');
  await form.getByLabel('Name').fill(person.name);
  await form.getByRole('button', { name: 'Review…' }).click();
  await page.getByRole('dialog').getByLabel('Why').fill('joins the team');
  expect(await edits(person, id)).toBe(403);
  await apply(page, /1 person gains something on 1 thing/);
  const row = rows(page).filter({ hasText: person.name });
  await expect(row).toContainText('granted on it');
  expect(await edits(person, id)).toBe(200);
  const search = page.getByRole('searchbox', { name: 'Name of a person' });
  await search.pressSequentially(person.name, { delay: 60 });
  await expect(rows(page)).toHaveCount(2);
  await expect(search).toBeFocused();
  await expect(search).toHaveValue(person.name);

  // Taken back where it was done.
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('Taken back')).toBeVisible();
  await expect(row).toHaveCount(0);
  expect(await edits(person, id)).toBe(403);

  // And the taking back, where all changes are.
  await visit(`/admin/changes?user=${person.name}`);
  const made = page.getByRole('table', { name: 'Changes, the last one first' }).getByRole('row');
  await expect(made.filter({ hasText: 'joins the team' }).filter({ hasText: 'Taken back' }).last()).toContainText('nothing → EDIT');
  await made.nth(1).getByRole('button', { name: 'Undo' }).click();
  await apply(page, /1 person gains something on 1 thing/);
  await expect(made).toHaveCount(4);
  expect(await edits(person, id)).toBe(200);

  // From the record of the call to what was so before.
  await visit(`/admin/audit?experiment=${id}&route=/api/flowdeck/v1/changes`);
  await page.getByRole('rowheader').first().getByRole('link').click();
  await page.getByRole('link', { name: 'before and after, and the way back' }).click();
  await expect(page.getByText('Only what one call has changed')).toBeVisible();
  await expect(page.getByRole('table', { name: 'Changes, the last one first' })).toContainText('nothing → EDIT');

  // DENY hides, and the page says why.
  await visit(`/experiments/${id}?tab=access`);
  await row.getByLabel(/^Granted to/).selectOption('DENY');
  await apply(page, /1 person loses something on 1 thing/);
  await expect(row).toContainText('DENY');
  expect(await reads(person, id)).toBe(403);
  await row.getByRole('link', { name: /^Why/ }).click();
  await expect(page.getByRole('region', { name: / has DENY on experiment/ })).toContainText('which wins over all other grants');
  await page.getByRole('link', { name: 'Change it where access to this is granted' }).click();
  await row.getByRole('button', { name: /^Revoke/ }).click();
  await apply(page, /1 person gains/);
  expect(await reads(person, id)).toBe(200);
  await rest.post('experiments/delete', { experiment_id: id });
});

test('who manages an experiment shares it, and everybody sees what they have', async ({ page, person, rest, another, signIn, visit, flowdeck }) => {
  const name = `shared-${fresh()}`;
  const id = await person.experiment(name);
  await signIn(person);
  await visit(`/experiments/${id}?tab=access`);
  const form = page.getByRole('form', { name: 'Grant access' });
  await form.getByLabel('Name').fill('reader');
  await form.getByLabel('Level').selectOption('MANAGE');
  await form.getByRole('button', { name: 'Review…' }).click();
  await apply(page, /1 person gains/);
  const reader = rest.as(flowdeck.data.reader.name, flowdeck.data.reader.password);
  expect(await edits(reader, id)).toBe(200);

  const context = await another();
  await signIn(flowdeck.data.reader, context);
  const theirs = await visit(`/account/access?q=${name}`, await context.newPage());
  await expect(theirs.getByRole('row').filter({ hasText: name })).toContainText('MANAGE');
  await theirs.getByRole('link', { name: `Why: experiment` }).click();
  await expect(theirs.getByText('The user has MANAGE on it.')).toBeVisible();

  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await expect(rows(page).filter({ hasText: 'reader' })).toHaveCount(0);
  expect(await edits(reader, id)).toBe(403);
});

test('of two owners who change the same the second is told, and nothing is overwritten', async ({ page, person, rest, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(409, /changes/);
  const id = await rest.experiment(`contested-${fresh()}`);
  await change(rest, grant({ user: person.name }, id, null, 'USE'));
  await signIn(flowdeck.admin);
  await visit(`/experiments/${id}?tab=access`);
  const row = rows(page).filter({ hasText: person.name });
  await row.getByLabel(/^Granted to/).selectOption('MANAGE');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('1 person gains');
  // Another owner is quicker.
  await change(rest, grant({ user: person.name }, id, 'USE', 'EDIT'));
  await dialog.getByRole('button', { name: 'Apply' }).click();
  await expect(dialog).toContainText('Not applied');
  await expect(dialog).toContainText('Somebody has changed this since you looked.');
  await expect(dialog.getByRole('button', { name: 'Apply' })).toBeDisabled();
  await dialog.getByRole('button', { name: 'Look at it as it is now' }).click();
  await expect(row.getByLabel(/^Granted to/)).toHaveValue('EDIT');
  expect(await edits(person, id)).toBe(200);
  await rest.post('experiments/delete', { experiment_id: id });
});

test('a rule over names grants, tells drift, and repairs it', async ({ page, person, rest, signIn, visit, flowdeck, guard }) => {
  guard.expectStatus(400, /rules/);
  // The one that is open is looked for once more when it is gone.
  guard.expectStatus(404, /rules/);
  const team = `team-${fresh()}`;
  const id = await rest.experiment(`${team}/one`);
  await change(rest, { edit: 'role', role: team, was: null, will: { description: '' } }, { edit: 'member', role: team, user: person.name, was: false, will: true });
  await signIn(flowdeck.admin);
  await visit('/admin/rules');
  await page.getByRole('button', { name: 'New rule' }).click();
  const dialog = page.getByRole('dialog', { name: 'New rule' });
  await dialog.getByLabel('That is called').fill(`${team}/*`);
  await dialog.getByLabel('The role').fill('no-such-role');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('There is no such role.');
  await expect(dialog.getByLabel('That is called')).toHaveValue(`${team}/*`);
  await dialog.getByLabel('The role').fill(team);
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole('table', { name: 'Rules' }).getByRole('row').filter({ hasText: team });
  await expect(row).toContainText('1 kept');
  expect(await edits(person, id)).toBe(200);

  // Somebody changes the grant by hand.
  await change(rest, grant({ role: team }, id, 'EDIT', 'READ'));
  await reload(page);
  await expect(row).toContainText('1 drifted');
  await row.getByRole('link', { name: /team-.*\/\*/ }).click();
  const produced = page.getByRole('region', { name: /^What .* produced$/ });
  await expect(produced.getByRole('row').filter({ hasText: `${team}/one` })).toContainText('changed by hand');
  expect(await edits(person, id)).toBe(403);
  await produced.getByRole('button', { name: 'Repair what was changed by hand' }).click();
  await expect(row).toContainText('1 kept');
  expect(await edits(person, id)).toBe(200);
  await row.getByRole('button', { name: /^Delete/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
  expect(await edits(person, id)).toBe(403);
  await change(rest, { edit: 'role', role: team, was: { description: '' }, will: null });
  await rest.post('experiments/delete', { experiment_id: id });
});

test('several cells of the table are set at once, by mouse and by keyboard', async ({ page, person, rest, signIn, visit, flowdeck }) => {
  const name = `cells-${fresh()}`;
  const ids = [await rest.experiment(`${name}-a`), await rest.experiment(`${name}-b`), await rest.experiment(`${name}-c`)];
  await signIn(flowdeck.admin);
  await visit('/admin/permissions');
  await page.getByRole('searchbox', { name: 'Name of a person or role' }).fill(person.name);
  await page.getByRole('searchbox', { name: 'Name of an experiment or model' }).fill(name);
  const grid = page.getByRole('grid', { name: 'Permissions' });
  await expect(grid).toHaveAttribute('aria-colcount', '4');
  await expect(grid).toHaveAttribute('aria-rowcount', '2');
  await expect(page).toHaveURL(new RegExp(`rows=${person.name}.*columns=${name}`));
  const cells = grid.getByRole('gridcell');
  await cells.nth(0).click();
  await cells.nth(2).click({ modifiers: ['Shift'] });
  await cells.nth(1).click({ modifiers: ['ControlOrMeta'] });
  await expect(page.getByText('2 cells')).toBeVisible();
  await page.getByLabel('Level for the chosen cells').selectOption('EDIT');
  await page.getByRole('button', { name: 'Review…' }).click();
  await apply(page, /1 person gains something on 2 things/);
  await expect(cells.nth(0)).toHaveAccessibleName('EDIT, granted on it');
  expect(await Promise.all(ids.map((id) => edits(person, id)))).toEqual([200, 403, 200]);

  await grid.focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Shift+ArrowRight');
  await expect(page.getByText('3 cells')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Level for the chosen cells')).toBeFocused();
  await page.getByLabel('Level for the chosen cells').selectOption('DENY');
  await page.getByRole('button', { name: 'Review…' }).click();
  await apply(page, /1 person loses something on 3 things/);
  expect(await Promise.all(ids.map((id) => reads(person, id)))).toEqual([403, 403, 403]);
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).last().click();
  await expect(cells.nth(1)).toHaveAccessibleName('READ');
  expect(await Promise.all(ids.map((id) => edits(person, id)))).toEqual([200, 403, 200]);
  for (const id of ids) await rest.post('experiments/delete', { experiment_id: id });
});

test('who may not manage an experiment is told so, however the server and the page fall in step', async ({ page, guard, flowdeck, signIn, visit }) => {
  guard.expectStatus(403);
  await signIn(flowdeck.data.reader);
  for (let time = 0; time < 15; time += 1) {
    await visit(`/experiments/${flowdeck.data.ids.baseline}?tab=access`);
    await expect(page.getByRole('region', { name: 'Who has access' })).toContainText('You have READ');
  }
});
