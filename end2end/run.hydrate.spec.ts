// A run, changed: name, note, tags, and what arrives while one looks.

import { awake, reload } from './lib/guard';
import type { Rest } from './lib/rest.mjs';
import { expect, fresh, test } from './lib/test';

async function make(person: Rest) {
  const experiment = await person.experiment(`own-${fresh()}`);
  const run = await person.run(experiment, { name: 'first-name', params: { lr: '0.1' }, metrics: { loss: [2, 1] }, tags: { stage: 'train' } });
  return { experiment, run, path: `/experiments/${experiment}/runs/${run}` };
}

async function tagsOf(rest: Rest, run: string): Promise<Record<string, string>> {
  const { data } = (await rest.get('runs/get', { run_id: run })).run;
  return Object.fromEntries((data.tags ?? []).map(({ key, value }: { key: string; value: string }) => [key, value]));
}

test('tags are added, changed and removed', async ({ page, person, signIn, visit }) => {
  const { run, path } = await make(person);
  await signIn(person);
  await visit(path);
  const tags = page.getByRole('region', { name: 'Tags' });
  await tags.getByLabel('Key').fill('reviewed by');
  await tags.getByLabel('Value').fill('שרה 🦊 & <b>co</b>');
  await tags.getByRole('button', { name: 'Set' }).click();
  await expect(tags.getByText('שרה 🦊 & <b>co</b>')).toBeVisible();
  await expect(tags.getByLabel('Key')).toHaveValue('');
  await expect.poll(() => tagsOf(person, run)).toMatchObject({ 'reviewed by': 'שרה 🦊 & <b>co</b>', stage: 'train' });

  await tags.getByRole('button', { name: 'Change the tag stage' }).click();
  await expect(tags.getByLabel('Key')).toHaveValue('stage');
  await tags.getByLabel('Value').fill('test');
  await tags.getByLabel('Value').press('Enter');
  await expect.poll(async () => (await tagsOf(person, run)).stage).toBe('test');

  await tags.getByRole('button', { name: 'Remove the tag reviewed by' }).click();
  await expect(tags.getByText('reviewed by')).toHaveCount(0);
  await expect.poll(async () => Object.keys(await tagsOf(person, run))).not.toContain('reviewed by');
  await reload(page);
  await expect(tags).toContainText('test');
  await expect(tags).not.toContainText('reviewed by');
});

test('the note is written beside its preview', async ({ page, person, signIn, visit }) => {
  const { run, path } = await make(person);
  await signIn(person);
  await visit(path);
  const note = page.getByRole('region', { name: 'Note' });
  await expect(note).toContainText('No note yet.');
  await note.getByRole('button', { name: 'Edit the note' }).click();
  const text = note.getByLabel('The note, in Markdown');
  await expect(text).toBeFocused();
  await text.fill('## Result\n\nIt **works**.');
  await expect(note.getByRole('region', { name: 'Preview' }).getByRole('heading', { name: 'Result' })).toBeVisible();
  await text.press('Control+Enter');
  await expect(note.getByRole('textbox')).toHaveCount(0);
  await expect(note.getByRole('heading', { name: 'Result' })).toBeVisible();
  await expect.poll(async () => (await tagsOf(person, run))['mlflow.note.content']).toBe('## Result\n\nIt **works**.');

  await note.getByRole('button', { name: 'Edit the note' }).click();
  await text.fill('thrown away');
  await text.press('Escape');
  await expect(note.getByRole('heading', { name: 'Result' })).toBeVisible();
  expect((await tagsOf(person, run))['mlflow.note.content']).toBe('## Result\n\nIt **works**.');
});

test('another name, and Escape keeps the old one', async ({ page, person, signIn, visit }) => {
  const { run, path } = await make(person);
  await signIn(person);
  await visit(path);
  const name = page.getByRole('textbox', { name: 'the name' });
  await page.getByRole('button', { name: 'Edit the name' }).click();
  await expect(name).toBeFocused();
  await name.fill('nonsense');
  await name.press('Escape');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('first-name');
  await page.getByRole('button', { name: 'Edit the name' }).click();
  await name.fill('zweiter Name 🦊');
  await name.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('zweiter Name 🦊');
  await expect(page).toHaveTitle('zweiter Name 🦊 · Flowdeck');
  await expect.poll(async () => (await person.get('runs/get', { run_id: run })).run.info.run_name).toBe('zweiter Name 🦊');
});

test('deleting a run can be undone and restored', async ({ page, person, signIn, visit }) => {
  const { run, path } = await make(person);
  await signIn(person);
  await visit(path);
  const stage = async () => (await person.get('runs/get', { run_id: run })).run.info.lifecycle_stage;
  const remove = async () => {
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await page.getByRole('button', { name: 'Delete the run' }).click();
    await expect(page.getByText('This run is deleted.')).toBeVisible();
    await expect.poll(stage).toBe('deleted');
  };
  await remove();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('This run is deleted.')).toHaveCount(0);
  await expect.poll(stage).toBe('active');
  await remove();
  await page.getByRole('button', { name: 'Restore' }).click();
  await expect(page.getByText('This run is deleted.')).toHaveCount(0);
  await expect.poll(stage).toBe('active');
});

test('what MLflow refuses is taken back visibly', async ({ page, guard, flowdeck, signIn, visit }) => {
  guard.expectStatus(403, /runs\//);
  const { ids, runs, reader } = flowdeck.data;
  await signIn(reader);
  await visit(`/experiments/${ids.details}/runs/${runs.details}`);
  const tags = page.getByRole('region', { name: 'Tags' });
  await tags.getByLabel('Key').fill('not-allowed');
  await tags.getByRole('button', { name: 'Set' }).click();
  await expect(page.getByText(/The tag was not saved/)).toBeVisible();
  await expect(tags.getByText('not-allowed')).toHaveCount(0);
});

test('relatives are shown with links', async ({ page, flowdeck, signIn, visit }) => {
  const { ids, runs, reader } = flowdeck.data;
  await signIn(reader);
  await visit(`/experiments/${ids.odd}/runs/${runs.parent}`);
  const family = page.getByRole('region', { name: 'Nested runs' });
  await expect(family.getByRole('link')).toHaveCount(3);
  await family.getByRole('link', { name: 'child-2' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('child-2');
  await family.getByRole('link', { name: 'parent-of-three' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('parent-of-three');
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('child-2');
});

test('values that arrive are shown without loading the page anew', async ({ page, person, signIn, visit }) => {
  const experiment = await person.experiment(`own-${fresh()}`);
  const run = await person.run(experiment, { name: 'still-running', status: 'RUNNING', metrics: { loss: [2] } });
  await signIn(person);
  await visit(`/experiments/${experiment}/runs/${run}`);
  await expect(page.getByRole('row', { name: /loss/ })).toContainText('2');
  await person.post('runs/log-metric', { run_id: run, key: 'loss', value: 0.125, step: 7, timestamp: Date.now() });
  await expect(page.getByRole('row', { name: /loss/ })).toContainText(/0\.125\s*7/, { timeout: 30_000 });
  await person.post('runs/update', { run_id: run, status: 'FINISHED', end_time: Date.now() });
  await expect(page.getByRole('main')).toContainText('Finished', { timeout: 30_000 });
});

test('links as the MLflow client prints them lead to the run', async ({ page, another, flowdeck, signIn, hasScript }) => {
  const { ids, runs, reader } = flowdeck.data;
  const printed = `${flowdeck.url}/#/experiments/${ids.details}/runs/${runs.details}`;
  const proper = `${flowdeck.url}/experiments/${ids.details}/runs/${runs.details}`;

  // By way of the sign-in page.
  await page.goto(printed);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in to Flowdeck');
  await page.getByLabel('User name').fill(reader.name);
  await page.getByLabel('Password').fill(reader.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('rich-run');
  await expect(page).toHaveURL(proper);

  const signedIn = await another();
  await signIn(reader, signedIn);
  const second = await signedIn.newPage();
  await second.goto(printed);
  await expect(second.getByRole('heading', { level: 1 })).toHaveText('rich-run');
  await awake(second, hasScript);
  await expect(second).toHaveURL(proper);
});

test('such links lead to no other site', async ({ page, flowdeck, signIn, guard }) => {
  guard.expectStatus(404);
  await signIn(flowdeck.data.reader);
  for (const hostile of ['#//evil.example/', '#/\\evil.example/', '#/%09/evil.example/']) {
    await page.goto(`${flowdeck.url}/experiments`);
    await page.goto('about:blank');
    await page.goto(`${flowdeck.url}/${hostile}`);
    await expect(page.getByRole('button', { name: /^Account of/ })).toBeVisible();
    expect(new URL(page.url()).origin).toBe(flowdeck.origin);
  }
});
