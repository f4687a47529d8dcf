// How the table of all runs is arranged: groups, families, baseline, columns; and that a link says all of it.

import { reload } from './lib/guard';
import { expectLines, groupBy, layout, lines, status } from './lib/lines';
import { pairs } from './lib/rest.mjs';
import { ask, expectRuns, filter } from './lib/runs';
import { expect, fresh, test } from './lib/test';

const START = 1_700_000_000_000;

test('groups by dataset, status, parent and folders, of which a link says which are closed', async ({ another, person, signIn, visit, page }) => {
  const word = fresh();
  const [vision, text] = [await person.experiment(`team-${word}/vision/resnet`), await person.experiment(`team-${word}/text`)];
  const parent = await person.run(vision, { name: 'sweep/lr/head', start: START + 9, metrics: { loss: 9 } });
  const child = await person.run(vision, { name: 'sweep/lr/1', start: START + 8, status: 'FAILED', tags: { 'mlflow.parentRunId': parent }, metrics: { loss: 1 } });
  await person.run(vision, { name: 'sweep/seed/1', start: START + 7, metrics: { loss: 3 } });
  const other = await person.run(text, { name: 'plain', start: START + 6, metrics: { loss: 5 } });
  for (const [run, name] of [[parent, 'mnist'], [child, 'mnist'], [other, 'books']]) {
    const dataset = { name, digest: `of-${name}`, source_type: 'local', source: '{}' };
    await person.post('runs/log-inputs', { run_id: run, datasets: [{ dataset, tags: pairs({ 'mlflow.data.context': 'training' }) }] });
  }
  await signIn(person);
  await visit(`/experiments/${vision}?with=${text}`);
  await expectRuns(page, true, 4);

  await groupBy(page, 'Dataset');
  await expectLines(page, ['books', '  plain', 'mnist', '  sweep/lr/head', '  sweep/lr/1', 'none', '  sweep/seed/1']);
  await page.goBack();
  await groupBy(page, 'Status');
  await expectLines(page, ['Failed', '  sweep/lr/1', 'Finished', '  sweep/lr/head', '  sweep/seed/1', '  plain']);
  // Of numbers a group says the mean, or what is asked for.
  const finished = page.getByRole('row', { name: 'Finished' }).first();
  await expect(finished.getByRole('gridcell', { name: /^5\.667/ })).toContainText('3…9');
  for (const [which, cell] of [['min', '3'], ['max', '9'], ['std', '3.055'], ['count', '3']]) {
    await page.getByRole('button', { name: 'Layout' }).click();
    await page.getByLabel('Groups show').selectOption(which);
    await page.keyboard.press('Escape');
    await expect(finished.getByRole('gridcell', { name: cell, exact: true }).last()).toBeVisible();
  }
  await visit(`/experiments/${vision}?with=${text}`);
  await expectRuns(page, true, 4);
  await groupBy(page, 'Parent');
  await expectLines(page, ['sweep/lr/head', '  sweep/lr/1', 'none', '  sweep/lr/head', '  sweep/seed/1', '  plain']);
  await page.goBack();

  await groupBy(page, 'Top folder in name');
  await expectLines(page, ['sweep', '  sweep/lr/head', '  sweep/lr/1', '  sweep/seed/1', 'none', '  plain']);
  await groupBy(page, 'Folder in name');
  await expectLines(page, ['sweep', '  sweep/lr', '    sweep/lr/head', '    sweep/lr/1', '  sweep/seed', '    sweep/seed/1', 'none', '  none', '    plain']);
  // A run that is renamed goes to its folder.
  await person.post('runs/update', { run_id: other, run_name: 'sweep/seed/2' });
  await reload(page);
  await expectLines(page, ['sweep', '  sweep/lr', '    sweep/lr/head', '    sweep/lr/1', '  sweep/seed', '    sweep/seed/1', '    sweep/seed/2']);

  await visit(`/experiments/${vision}?with=${text}`);
  await expectRuns(page, true, 4);
  await groupBy(page, 'Top folder');
  await groupBy(page, 'Folder');
  const whole = [`team-${word}`, `  team-${word}`, '    sweep/seed/2', `  team-${word}/vision`, '    sweep/lr/head', '    sweep/lr/1', '    sweep/seed/1'];
  await expectLines(page, whole);
  await page.getByRole('rowheader', { name: `team-${word}/vision` }).getByRole('button', { name: 'Close' }).click();
  await expectLines(page, whole.slice(0, 4));
  await expect(page).toHaveURL(/closed=/);
  // Whoever gets the link sees the same.
  const { hash, pathname, search } = new URL(page.url());
  const context = await another();
  await signIn(person, context);
  const there = await context.newPage();
  await there.goto(pathname + search + hash);
  await expectLines(there, whole.slice(0, 4));
  await layout(there, 'Close all');
  await expectLines(there, whole.slice(0, 1));
  await there.reload();
  await expectLines(there, whole.slice(0, 1));
  await layout(there, 'Open all');
  await expectLines(there, whole);
});

test('families of runs at any depth outlive filter, sort and closing', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`families-${fresh()}`);
  const below = (parent: string) => ({ 'mlflow.parentRunId': parent });
  const root = await person.run(experiment, { name: 'root', start: START, metrics: { loss: 5 } });
  const branch = await person.run(experiment, { name: 'branch', start: START + 1, metrics: { loss: 1 }, tags: below(root) });
  const twig = await person.run(experiment, { name: 'twig', start: START + 2, metrics: { loss: 8 }, tags: below(branch) });
  await person.run(experiment, { name: 'leaf', start: START + 3, metrics: { loss: 3 }, tags: below(twig) });
  await person.run(experiment, { name: 'other-leaf', start: START + 4, metrics: { loss: 2 }, tags: below(twig) });
  await person.run(experiment, { name: 'alone', start: START + 5, metrics: { loss: 4 } });
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expectLines(page, ['alone', 'root', '  branch', '    twig', '      other-leaf', '      leaf']);
  // Sorted, siblings change places.
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expectLines(page, ['root', '  branch', '    twig', '      leaf', '      other-leaf', 'alone']);
  // What is above a run that is meant stays, and can be told from it.
  await ask(page, "name ~ '^other' or best(metrics.loss, max)");
  await expectLines(page, ['(root)', '  (branch)', '    twig', '      other-leaf']);
  await page.getByRole('rowheader', { name: 'twig' }).getByRole('button', { name: 'Close' }).click();
  await expectLines(page, ['(root)', '  (branch)', '    twig']);
  await reload(page);
  await expectLines(page, ['(root)', '  (branch)', '    twig']);
  await filter(page).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Control+End');
  await page.getByRole('rowheader', { name: 'root' }).getByRole('button', { name: 'Close' }).click();
  await expectLines(page, ['(root)']);
  await layout(page, 'Nested runs');
  await expectLines(page, ['twig', 'other-leaf']);
});

test('runs beside a baseline, and only the columns in which they differ', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`baseline-${fresh()}`);
  const same = { optimizer: 'adam' };
  await person.run(experiment, { name: 'first', start: START, params: { ...same, lr: '0.1' }, metrics: { loss: 2, same: 7 } });
  await person.run(experiment, { name: 'second', start: START, params: { ...same, lr: '0.2' }, metrics: { loss: 3, same: 7 } });
  await person.run(experiment, { name: 'third', start: START, params: { ...same, lr: '0.2' }, metrics: { loss: 1, same: 7 } });
  await signIn(person);
  await visit(`/experiments/${experiment}?cols=p:optimizer,p:lr,m:same,m:loss`);
  await expectRuns(page, true, 3);
  await page.getByRole('checkbox', { name: 'Select first' }).check();
  await page.getByRole('button', { name: 'Compare others with it' }).click();
  const loss = (name: string) => page.getByRole('row', { name }).getByRole('gridcell').last();
  await expect(page.locator('tr.baseline')).toContainText('first');
  await expect(loss('second')).toHaveText(/^3\s*\+50%$/);
  await expect(loss('third')).toHaveText(/^1\s*-50%$/);
  await expect(loss('first')).toHaveText('2');
  await reload(page);
  await expect(loss('second')).toHaveText(/^3\s*\+50%$/);

  const headings = page.getByRole('columnheader').locator('bdi');
  await expect(headings).toHaveText(['Run', 'optimizer', 'lr', 'same', 'loss']);
  await layout(page, 'Only columns that differ');
  await expect(headings).toHaveText(['Run', 'lr', 'loss']);
  // Of those that the query leaves.
  await ask(page, 'metrics.loss != 2');
  await expect(headings).toHaveText(['Run', 'loss']);
  await layout(page, 'Only columns that differ');
  await layout(page, 'Compare with no run');
  await expect(page.locator('.beside')).toHaveCount(0);
  // A column that is kept in sight.
  await layout(page, 'Keep the first column in sight');
  await expect(page.locator('th.pinned, td.pinned').filter({ hasText: 'optimizer' })).toBeVisible();
});

test('a link has the selection, unless it is very large', async ({ another, person, signIn, visit, page }) => {
  const experiment = await person.experiment(`selected-${fresh()}`);
  for (const name of ['a', 'b', 'c', 'd']) await person.run(experiment, { name });
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expectRuns(page, true, 4);
  for (const name of ['a', 'c']) await page.getByRole('checkbox', { name: `Select ${name}`, exact: true }).check();
  await expect(page).toHaveURL(/selected=[\w-]{12}(&|$)/);
  const { pathname, search } = new URL(page.url());
  const context = await another();
  await signIn(person, context);
  const there = await context.newPage();
  await there.goto(pathname + search);
  const toolbar = there.getByRole('toolbar', { name: 'Selected runs' });
  await expect(toolbar).toContainText('2 runs selected');
  await expect.poll(async () => (await lines(there)).filter((line) => line.selected).map((line) => line.name).sort()).toEqual(['a', 'c']);
  // A link within the page keeps it.
  await there.getByRole('columnheader', { name: 'Status' }).getByRole('link').click();
  await expect(there).toHaveURL(/sort=.*selected=/);
  await expect(toolbar).toContainText('2 runs selected');
  await there.getByRole('button', { name: 'Clear the selection' }).click();
  await expect(there).not.toHaveURL(/selected=/);
  await there.reload();
  await expectRuns(there, true, 4);
  await expect(toolbar).toHaveCount(0);
});

test('the runs of all experiments on a page of their own', async ({ person, signIn, visit, page }) => {
  const word = fresh();
  const [one, two] = [await person.experiment(`all-${word}/one`), await person.experiment(`all-${word}/two`)];
  const first = await person.run(one, { name: `first-${word}`, metrics: { loss: 2 } });
  const second = await person.run(two, { name: `second-${word}`, metrics: { loss: 1 } });
  await signIn(person);
  await visit('/experiments');
  await page.getByRole('link', { name: 'All runs' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'All runs' })).toBeVisible();
  // Before, MLflow would be asked for what it does not know.
  await expect(status(page)).toContainText(/is here|are here/);
  await ask(page, `name ~ '${word}$' and metrics.loss > 0`);
  await expectRuns(page, true, 2);
  await expect(page.getByRole('row', { name: `second-${word}` }).getByRole('gridcell', { name: 'two', exact: true })).toBeVisible();
  await groupBy(page, 'Folder');
  await expectLines(page, [`all-${word}`, `  second-${word}`, `  first-${word}`]);
  await reload(page);
  await expectLines(page, [`all-${word}`, `  second-${word}`, `  first-${word}`]);
  // Runs of different experiments beside each other.
  await page.getByRole('checkbox', { name: 'Select all runs that are shown' }).click();
  await page.getByRole('toolbar', { name: 'Selected runs' }).getByRole('link', { name: 'Compare' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare 2 runs');
  for (const run of [first, second]) expect(page.url()).toContain(run);
  await page.getByRole('link', { name: 'All runs' }).click();
  await expect(status(page)).toContainText(/runs are here/);
});
