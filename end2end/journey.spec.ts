// A whole visit: in, to an experiment, to a run, and out.

import { awake } from './lib/guard';
import { rows as theRows } from './lib/runs';
import { expect, fresh, test } from './lib/test';

test('sign in, find an experiment, sort and filter its runs, open one, edit a tag, sign out', async ({ page, person, visit, hasScript }) => {
  const name = `journey-${fresh()}`;
  const experiment = await person.experiment(name);
  for (const [run, loss] of [['first', 2], ['second', 3], ['third', 1]] as const) {
    await person.run(experiment, { name: run, params: { model: run === 'second' ? 'vit' : 'resnet' }, metrics: { loss }, tags: { stage: 'train' } });
  }

  await visit('/');
  await page.getByLabel('User name').fill(person.name);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
  await awake(page, hasScript);

  const search = page.getByRole('searchbox', { name: 'Search experiments' });
  await search.fill(name);
  await search.press('Enter');
  await expect(page.getByRole('rowheader')).toHaveCount(1);
  await page.getByRole('link', { name }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(name);

  const rows = theRows(page);
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expect(rows).toHaveText(['second', 'first', 'third']);
  const filter = page.getByRole('searchbox', { name: 'Filter the runs' });
  await filter.fill("params.model = 'resnet'");
  await filter.press('Enter');
  await expect(rows).toHaveText(['first', 'third']);
  await page.goBack();
  await expect(rows).toHaveText(['second', 'first', 'third']);
  await page.goForward();
  await expect(rows).toHaveText(['first', 'third']);

  await page.getByRole('link', { name: 'third' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('third');
  const tags = page.getByRole('region', { name: 'Tags' });
  await expect(tags).toContainText('train');
  if (hasScript) {
    await tags.getByRole('button', { name: 'Change the tag stage' }).click();
    await tags.getByLabel('Value').fill('done');
    // It is shown before MLflow has it.
    const kept = page.waitForResponse(/runs\/set-tag$/);
    await tags.getByLabel('Value').press('Enter');
    await expect(tags).toContainText('done');
    await kept;
    await page.reload();
    await awake(page, hasScript);
    await expect(tags).toContainText('done');
  }

  // How the console looks, and what was asked last; nothing of what was seen.
  if (hasScript) {
    const kept = await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]);
    expect(kept.filter((name) => !['flowdeck.theme', 'flowdeck.density', 'flowdeck-queries'].includes(name))).toEqual([]);
  }

  await page.getByRole('button', { name: `Account of ${person.name}` }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('status')).toHaveText('You are signed out.');
  await visit(`/experiments/${experiment}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in to Flowdeck');
});
