// Named views of the runs page, runs out of sight, and what others do meanwhile.

import { reload } from './lib/guard';
import { expectRuns } from './lib/runs';
import { expect, fresh, test } from './lib/test';

test('a view is saved, opened elsewhere, changed, deleted and brought back', async ({ person, signIn, visit, page }) => {
  const first = await person.experiment(`views-${fresh()}`);
  const second = await person.experiment(`views-${fresh()}`);
  for (const experiment of [first, second]) {
    await person.run(experiment, { name: 'good', metrics: { loss: 1 } });
    await person.run(experiment, { name: 'bad', metrics: { loss: 9 } });
  }
  await signIn(person);
  await visit(`/experiments/${first}?q=metrics.loss+%3C+5`);
  await expectRuns(page, true, 1);
  await page.getByRole('button', { name: 'Views' }).click();
  const name = `Good ${fresh()}`;
  await page.getByLabel('Name of the view').fill(name);
  await page.getByLabel('Offered').selectOption('everywhere');
  await page.getByRole('button', { name: 'Save the view' }).click();
  await expect(page.getByText(`Saved the view ${name}`)).toBeVisible();
  await expect(page).toHaveURL(/saved=/);

  await visit(`/experiments/${second}`);
  await expectRuns(page, true, 2);
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByRole('link', { name }).click();
  await expectRuns(page, true, 1);
  await expect(page.getByRole('searchbox', { name: 'Filter the runs' })).toHaveValue('metrics.loss < 5');
  await page.getByRole('link', { name: 'Clear the filter' }).click();
  await expectRuns(page, true, 2);
  await expect(page.getByRole('button', { name: `${name} changed` })).toBeVisible();

  await page.getByRole('button', { name: `${name} changed` }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText(`Deleted the view ${name}`)).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByRole('button', { name: 'Views' }).click();
  await expect(page.getByRole('link', { name })).toBeVisible();
});

test('a page opens with the view that is to open first', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`opens-${fresh()}`);
  await person.run(experiment, { name: 'good', metrics: { loss: 1 } });
  await person.run(experiment, { name: 'bad', metrics: { loss: 9 } });
  await signIn(person);
  await visit(`/experiments/${experiment}?q=good`);
  await page.getByRole('button', { name: 'Views' }).click();
  await page.getByLabel('Name of the view').fill('First');
  await page.getByLabel('Opens first').selectOption('owner');
  await page.getByRole('button', { name: 'Save the view' }).click();
  await expect(page.getByText('Saved the view First')).toBeVisible();
  // The document that comes is drawn with it already.
  const drawn = await page.request.get(page.url().replace(/\?.*/, ''));
  expect(drawn.url()).toMatch(/\?q=good&saved=/);
  await visit(`/experiments/${experiment}`);
  await expect(page.getByRole('button', { name: 'First' })).toBeVisible();
  await expectRuns(page, true, 1);
  // From another page it opens so too.
  await page.getByRole('link', { name: 'Experiments' }).first().click();
  await page.getByRole('link', { name: /^opens-/ }).click();
  await expect(page).toHaveURL(/saved=/);
  await expectRuns(page, true, 1);
  await page.getByRole('button', { name: 'First' }).click();
  await page.getByRole('link', { name: 'Without a view' }).click();
  await expectRuns(page, true, 2);
});

test('runs are moved out of sight, and back', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`hidden-${fresh()}`);
  for (const name of ['a', 'b', 'c']) await person.run(experiment, { name });
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expectRuns(page, true, 3);
  await page.getByRole('checkbox', { name: 'Select b' }).click();
  await page.getByRole('button', { name: 'Out of sight' }).click();
  await expectRuns(page, true, 2);
  await expect(page.locator('.statusbar')).toContainText('1 out of sight');
  await page.locator('.statusbar').getByRole('link', { name: 'Show' }).click();
  await expectRuns(page, true, 3);
  // The address stays as it is, and the button follows what is selected.
  await page.getByRole('button', { name: 'Back into sight' }).click();
  await page.getByRole('button', { name: 'Out of sight' }).click();
  await page.getByRole('button', { name: 'Back into sight' }).click();
  await expect(page.getByRole('button', { name: 'Out of sight' })).toBeVisible();
  await page.goBack();
  await expectRuns(page, true, 3);
});

test('what others do appears by itself, and nothing moves under the pointer', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`live-${fresh()}`);
  const first = await person.run(experiment, { name: 'first', metrics: { loss: 5 } });
  await signIn(person);
  await visit(`/experiments/${experiment}?sort=m:loss`);
  await expectRuns(page, true, 1);
  await page.getByRole('rowheader', { name: 'first' }).hover();
  await person.run(experiment, { name: 'second', metrics: { loss: 1 } });
  await expect(page.locator('.statusbar')).toContainText('All 2 runs are here', { timeout: 30_000 });
  // It would stand first.
  await expectRuns(page, true, 1);
  await page.mouse.move(0, 0);
  await expectRuns(page, true, 2);
  await expect(page.getByRole('rowheader').first()).toContainText('second');
  // From here on nothing is learned by asking: searches get no answer.
  await page.route(/\/runs\/(search|page)$/, () => undefined);
  await person.post('runs/update', { run_id: first, run_name: 'renamed' });
  await expect(page.getByRole('rowheader', { name: 'renamed' })).toBeVisible({ timeout: 30_000 });
  await person.post('runs/delete', { run_id: first });
  await expectRuns(page, true, 1);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('runs of several experiments stand in one table, and those of all', async ({ person, signIn, visit, page }) => {
  const word = fresh();
  const first = await person.experiment(`several-${word}/one`);
  const second = await person.experiment(`several-${word}/two`);
  await person.run(first, { name: `of-one-${word}`, metrics: { loss: 2 } });
  const other = await person.run(second, { name: `of-two-${word}`, metrics: { loss: 1 } });
  await signIn(person);
  await visit(`/experiments/${first}?sort=m:loss`);
  await expectRuns(page, true, 1);
  await page.getByRole('button', { name: 'Layout' }).click();
  await page.getByLabel('Add the runs of another experiment').fill(`several-${word}/two`);
  await page.getByRole('link', { name: `several-${word}/two` }).click();
  await expectRuns(page, true, 2);
  await expect(page.getByRole('row', { name: `of-two-${word}` }).getByRole('gridcell', { name: 'two', exact: true })).toBeVisible();
  await expect(page.getByRole('rowheader').first()).toContainText('of-two');
  // Each leads to its own experiment.
  await expect(page.getByRole('link', { name: `of-two-${word}` })).toHaveAttribute('href', new RegExp(`/experiments/${second}/runs/${other}$`));
  await reload(page);
  await expectRuns(page, true, 2);
  await visit(`/experiments/${first}?with=all&q=of-two-${word}`);
  await expectRuns(page, true, 1);
  await expect(page.getByRole('rowheader').first()).toContainText('of-two');
});
