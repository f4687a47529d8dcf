// Runs side by side, read.

import { cells, compared, keys, names, row, table, withFiles } from './lib/compared';
import { expect, fresh, test } from './lib/test';

test('the document has everything before any script runs', async ({ context, flowdeck, person, signIn }) => {
  const { path } = await compared(person);
  await signIn(person);
  const answer = await context.request.get(flowdeck.url + path);
  expect(answer.status()).toBe(200);
  const html = (await answer.text()).replace(/<script[\s\S]*?<\/script>/g, '');
  for (const text of ['first-try', 'second-try', 'third-try', 'accuracy', 'optimizer', 'sgd', 'train.py', 'team', 'Failed']) expect(html).toContain(text);
});

test('a row a key, a column a run', async ({ page, person, signIn, visit, flowdeck }) => {
  const { path, experiment, elsewhere, first, third } = await compared(person);
  await signIn(person);
  await visit(path);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare 3 runs');
  await expect(page).toHaveTitle('Compare 3 runs · Flowdeck');
  await expect(names(page)).toHaveText(['first-try', 'second-try', 'third-try']);
  await expect(cells(page, 'optimizer')).toHaveText(['adam', 'sgd', '–']);
  await expect(cells(page, 'Status')).toHaveText(['Finished', 'Finished', 'Failed']);
  await expect(cells(page, 'Duration')).toHaveText(['1:40', '2:30', '1:40']);
  await expect(cells(page, 'team')).toHaveText(['vision', 'vision', '–']);
  // The best value says so; where there is no better and worse, none does.
  await expect(cells(page, 'accuracy')).toHaveText(['0.8', /0\.9.*best/, '–']);
  await expect(cells(page, 'loss')).toHaveText(['0.5', /0\.25.*best/, 'NaN']);
  await expect(row(page, 'epochs').getByText('best')).toHaveCount(0);
  // Each run, and its experiment, has an address of its own.
  await expect(names(page).first()).toHaveAttribute('href', new URL(`${flowdeck.url}/experiments/${experiment}/runs/${first}`).pathname);
  await expect(cells(page, 'Experiment').last().getByRole('link')).toHaveAttribute('href', new URL(`${flowdeck.url}/experiments/${elsewhere}`).pathname);
  await names(page).last().click();
  await expect(page).toHaveURL(`${flowdeck.url}/experiments/${elsewhere}/runs/${third}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('third-try');
});

test('a long value is folded, and whole when it is opened', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  const value = cells(page, 'prompt').first();
  await expect(value.getByText(/End\.$/)).toBeHidden();
  await value.locator('summary').click();
  await expect(value.getByText(/End\.$/)).toBeVisible();
});

test('only differences, keys that are looked for, and a baseline', async ({ page, person, signIn, visit, hasScript }) => {
  const { path, first } = await compared(person);
  await signIn(person);
  await visit(path);
  const show = async () => (hasScript ? undefined : page.getByRole('button', { name: 'Show' }).click());
  await expect(row(page, 'seed')).toBeVisible();
  await page.getByRole('switch', { name: 'Only differences' }).check();
  await show();
  await expect(page).toHaveURL(/only=differing/);
  await expect(row(page, 'seed')).toHaveCount(0);
  await expect(row(page, 'optimizer')).toBeVisible();

  await page.getByRole('combobox', { name: 'Baseline' }).selectOption({ label: 'first-try' });
  await show();
  await expect(page).toHaveURL(new RegExp(`baseline=${first}`));
  await expect(table(page).getByRole('columnheader', { name: /first-try/ })).toContainText('Baseline');
  await expect(cells(page, 'loss')).toHaveText(['0.5', /0\.25best-50%/, 'NaN']);
  await expect(cells(page, 'lr')).toHaveText(['0.1', '0.2+100%', '0.1=']);
  await expect(cells(page, 'Duration')).toHaveText(['1:40', '2:30+50%', '1:40=']);
  await expect(cells(page, 'accuracy').nth(1).getByTitle('from the baseline')).toHaveAttribute('title', /^\+0\.09999999999999998 |^\+0\.1 /);

  await page.getByRole('searchbox', { name: 'Find a key' }).fill('ACC');
  if (hasScript) await expect(page).toHaveURL(/q=ACC/);
  await show();
  await expect(keys(page)).toHaveText(['accuracy']);
  await expect(page.getByRole('search').getByRole('status')).toHaveText(/^1 of \d+ keys$/);

  await page.getByRole('searchbox', { name: 'Find a key' }).fill('no such key');
  await show();
  await expect(page.getByRole('heading', { name: 'No key matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Show all keys' }).click();
  await expect(row(page, 'seed')).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`baseline=${first}`));
});

test('runs that are the same have no differences to show', async ({ page, person, signIn, visit }) => {
  const { experiment, first } = await compared(person);
  await signIn(person);
  await visit(`/experiments/${experiment}/compare?runs=${first},${first}&only=differing`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare 1 run');
  await expect(page.getByRole('heading', { name: 'The runs do not differ' })).toBeVisible();
  await expect(page.getByText('One run has nothing to be compared with')).toBeVisible();
});

test('columns move, go, and become the baseline', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  const act = async (run: string, what: string) => {
    await page.getByRole('button', { name: `Actions for ${run}` }).click();
    const menu = page.getByRole('group', { name: `Actions for ${run}` });
    await menu.getByRole('link', { name: what }).click();
    await expect(menu).toBeHidden();
  };
  await act('third-try', 'Move left');
  await expect(names(page)).toHaveText(['first-try', 'third-try', 'second-try']);
  await act('first-try', 'Move right');
  await expect(names(page)).toHaveText(['third-try', 'first-try', 'second-try']);
  await act('second-try', 'Make it the baseline');
  await expect(cells(page, 'loss').nth(1)).toContainText('+100%');
  await act('third-try', 'Remove from the comparison');
  await expect(names(page)).toHaveText(['first-try', 'second-try']);
  await expect(cells(page, 'loss')).toHaveCount(2);
  await expect(cells(page, 'loss').first()).toContainText('+100%');
  await act('second-try', 'Compare with no baseline');
  await expect(table(page).getByText('+100%')).toHaveCount(0);
  await page.goBack();
  await expect(cells(page, 'loss').first()).toContainText('+100%');
  await page.goBack();
  await expect(names(page)).toHaveText(['third-try', 'first-try', 'second-try']);
  await page.goForward();
  await expect(names(page)).toHaveText(['first-try', 'second-try']);
});

test('sections close and stay closed', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  const section = (name: RegExp) => table(page).getByRole('link', { name });
  await expect(section(/^Metrics/)).toHaveAttribute('aria-expanded', 'true');
  await section(/^Metrics/).click();
  await expect(row(page, 'loss')).toHaveCount(0);
  await expect(row(page, 'optimizer')).toBeVisible();
  await section(/^Params/).click();
  await expect(row(page, 'optimizer')).toHaveCount(0);
  await page.reload();
  await expect(row(page, 'team')).toBeVisible();
  await expect(row(page, 'loss')).toHaveCount(0);
  await expect(section(/^Metrics/)).toHaveAttribute('aria-expanded', 'false');
  await section(/^Metrics/).click();
  await expect(row(page, 'loss')).toBeVisible();
});

test('a run that is gone, or not for these eyes, says so and hinders nothing', async ({ page, flowdeck, person, signIn, visit }) => {
  const { path } = await compared(person);
  const { ids, reader } = flowdeck.data;
  await signIn(person);
  const odd = `x')--`;
  await visit(`${path},${'0'.repeat(32)},${encodeURIComponent(odd)}`);
  await expect(names(page)).toHaveCount(5);
  await expect(table(page).getByText('You may not see this run, or there is none.')).toHaveCount(2);
  await expect(cells(page, 'optimizer')).toHaveText(['adam', 'sgd', '–', '', '']);
  // What is not there is no difference.
  await visit(`/experiments/${ids.odd}/compare?runs=${flowdeck.data.runs.failed},${'0'.repeat(32)}&only=differing`);
  await expect(page.getByRole('heading', { name: 'The runs do not differ' })).toBeVisible();

  await page.context().clearCookies();
  await signIn(reader);
  const seen = `/experiments/${ids.secret}/compare?runs=${flowdeck.data.runs.details}`;
  await visit(seen);
  await expect(names(page)).toHaveText(['rich-run']);
});

test('a deleted run is compared and says that it is deleted', async ({ page, person, signIn, visit }) => {
  const { path, second } = await compared(person);
  await person.post('runs/delete', { run_id: second });
  await signIn(person);
  await visit(path);
  await expect(table(page).getByRole('columnheader', { name: /second-try/ })).toContainText('Deleted');
  await expect(cells(page, 'optimizer')).toHaveText(['adam', 'sgd', '–']);
});

test('without runs the page says what it is for', async ({ page, flowdeck, person, signIn, visit }) => {
  const experiment = await person.experiment(`compared-${fresh()}`);
  await signIn(person);
  await visit(`/experiments/${experiment}/compare`);
  await expect(page.getByRole('heading', { name: 'No runs to compare' })).toBeVisible();
  await page.getByRole('link', { name: 'To the runs' }).click();
  await expect(page).toHaveURL(`${flowdeck.url}/experiments/${experiment}`);
});

test('a hundred runs, and word of those beyond', async ({ page, flowdeck, rest, signIn, visit }) => {
  const { ids, reader } = flowdeck.data;
  const found = await rest.post('runs/search', { experiment_ids: [ids.sweep], max_results: 120, order_by: ['attributes.run_name ASC'] });
  const runs = found.runs.map((run: { info: { run_id: string } }) => run.info.run_id);
  await signIn(reader);
  await visit(`/experiments/${ids.sweep}/compare?runs=${runs.join(',')}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare 100 runs');
  await expect(names(page)).toHaveCount(100);
  await expect(page.getByText('The first 100 of 120 runs are here')).toBeVisible();
  await expect(cells(page, 'accuracy')).toHaveCount(100);
  // The key and the name stay while everything else moves.
  await table(page).getByRole('columnheader', { name: /trial-099/ }).scrollIntoViewIfNeeded();
  await expect(names(page).last()).toBeInViewport();
  await expect(row(page, 'stage').getByRole('rowheader')).toBeInViewport();
});

test('notes beside each other, and nothing in them runs', async ({ page, flowdeck, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  await page.getByRole('navigation', { name: 'Comparison' }).getByRole('link', { name: 'Notes' }).click();
  await expect(page).toHaveURL(/tab=notes/);
  const first = page.getByRole('region', { name: 'Note of first-try' });
  await expect(first.getByRole('heading', { name: 'First', exact: true })).toBeVisible();
  await expect(first.locator('strong')).toHaveText('works');
  await expect(page.getByRole('region', { name: 'Note of second-try' })).toContainText('No note.');
  await visit(`/experiments/${flowdeck.data.ids.details}/compare?runs=${flowdeck.data.runs.details}&tab=notes`);
  await expect(page.getByRole('region', { name: 'Note of rich-run' })).toContainText('<script>top.attacked = "note"</script>');
  expect(await page.evaluate(() => 'attacked' in window)).toBe(false);
});

test('the files of the runs taken together', async ({ page, person, signIn, visit, hasScript }) => {
  const runs = await compared(person);
  await withFiles(person, runs);
  await signIn(person);
  await visit(`${runs.path}&tab=artifacts`);
  const files = page.getByRole('region', { name: 'Files' });
  await expect(files.getByRole('rowheader')).toHaveText(['config', 'plots', 'notes.txt', 'only-here.md', 'same.txt', 'weights.bin']);
  await expect(files.getByRole('row', { name: /only-here/ }).getByRole('cell')).toHaveText(['1 of 3', '–', '12 B']);
  await expect(files.getByRole('row', { name: /weights/ }).getByRole('cell')).toHaveText(['2 of 3', '1.2 kB', '1.3 kB']);
  await files.getByRole('link', { name: 'config' }).click();
  await files.getByRole('link', { name: 'deep' }).click();
  await expect(files.getByRole('link', { name: 'deep' })).toHaveAttribute('aria-expanded', 'true');
  await files.getByRole('link', { name: 'model.json' }).click();
  const look = page.getByRole('region', { name: 'model.json in two runs' });
  await expect(look.getByRole('link', { name: 'Download model.json of second-try' })).toBeVisible();
  if (!hasScript) await expect(look).toContainText('needs JavaScript');

  await files.getByRole('link', { name: 'weights.bin' }).click();
  await expect(page.getByRole('region', { name: 'weights.bin in two runs' })).toContainText('There is no way to compare such files here');
  await files.getByRole('link', { name: 'only-here.md' }).click();
  await expect(page.getByRole('region', { name: 'only-here.md in two runs' })).toContainText('Only second-try has it; first-try does not.');

  // Other runs than these two.
  await page.getByRole('combobox', { name: 'Left run' }).selectOption({ label: 'third-try' });
  if (!hasScript) await page.getByRole('button', { name: 'Show' }).click();
  await expect(page).toHaveURL(new RegExp(`left=${runs.third}`));
  await expect(files.getByRole('columnheader')).toHaveText(['File', 'Runs', 'third-try', 'second-try']);
  await page.getByRole('link', { name: 'Swap' }).click();
  await expect(files.getByRole('columnheader')).toHaveText(['File', 'Runs', 'second-try', 'third-try']);
  await files.getByRole('link', { name: 'config' }).click();
  await expect(files.getByRole('link', { name: 'deep' })).toHaveCount(0);
});

test('runs without files say so', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(`${path}&tab=artifacts`);
  await expect(page.getByRole('heading', { name: 'No artifacts' })).toBeVisible();
});
