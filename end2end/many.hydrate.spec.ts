// Many runs changed at once.

import { readFile } from 'node:fs/promises';

import { reload } from './lib/guard';
import { expectRuns } from './lib/runs';
import { expect, fresh, test } from './lib/test';

const RUNS = 12;

test.beforeEach(async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`many-${fresh()}`);
  for (let index = 0; index < RUNS; index += 1) {
    await person.run(experiment, { name: `run-${String(index).padStart(2, '0')}`, start: 1_700_000_000_000 + index, metrics: { loss: index } });
  }
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expect(page.locator('.statusbar')).toContainText(`All ${RUNS} runs are here`);
  await page.getByRole('checkbox', { name: 'Select all runs that are shown' }).click();
});

test('tagged, with those that failed and another try for them', async ({ guard, page }) => {
  guard.expectStatus(500, /set-tag/);
  let refuse = true;
  const body = JSON.stringify({ error_code: 'INTERNAL_ERROR', message: 'MLflow failed' });
  let asked = 0;
  await page.route('**/runs/set-tag', async (route) => {
    asked += 1;
    await (refuse && asked % 4 === 0 ? route.fulfill({ status: 500, contentType: 'application/json', body }) : route.continue());
  });
  await page.getByRole('button', { name: 'Tag', exact: true }).click();
  await page.getByLabel('Key of the tag').fill('team');
  await page.getByLabel('Value of the tag').fill('vision');
  await page.getByRole('button', { name: 'Set the tag' }).click();
  const work = page.getByRole('status').filter({ hasText: 'Tagged' });
  await expect(work.first()).toContainText(`Tagged ${RUNS - 3} of ${RUNS} runs`);
  await expect(page.locator('.failures li')).toHaveCount(3);
  refuse = false;
  await page.getByRole('button', { name: 'Try these again' }).click();
  await expect(page.getByText('Tagged 3 runs')).toBeVisible();
  await page.getByRole('searchbox', { name: 'Filter the runs' }).fill("tags.team = 'vision'");
  await expectRuns(page, true, RUNS);
});

test('deleted, and brought back', async ({ page }) => {
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expectRuns(page, true, RUNS);
});

test('renamed by a pattern', async ({ page }) => {
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  await page.getByLabel('New name').fill('sweep-{n}-{name}');
  await page.getByRole('button', { name: 'Rename', exact: true }).last().click();
  await expect(page.getByText(`Renamed ${RUNS} runs`)).toBeVisible();
  await expect(page.getByRole('rowheader').first()).toContainText('sweep-1-run-11');
  await reload(page);
  await expect(page.getByRole('rowheader').last()).toContainText(`sweep-${RUNS}-run-00`);
});

test('each change is taken back, and what was stopped is not begun', async ({ page }) => {
  const toolbar = page.getByRole('toolbar', { name: 'Selected runs' });
  const says = page.locator('.statusbar');
  const undo = async (said: string) => {
    await expect(page.getByText(said, { exact: true })).toBeVisible();
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await expect(page.getByText(/^Took back/).last()).toBeVisible();
  };
  // Three of them, by what they are called.
  await toolbar.getByRole('button', { name: 'Clear the selection' }).click();
  await page.getByRole('searchbox', { name: 'Filter the runs' }).fill('run-0 and metrics.loss < 3');
  await expectRuns(page, true, 3);
  await page.getByRole('checkbox', { name: 'Select all runs that are shown' }).click();
  await page.getByRole('searchbox', { name: 'Filter the runs' }).fill('');
  await expectRuns(page, true, RUNS);
  await expect(toolbar).toContainText('3 runs selected');

  await toolbar.getByRole('button', { name: 'Tag', exact: true }).click();
  await page.getByLabel('Key of the tag').fill('team');
  await page.getByLabel('Value of the tag').fill('vision');
  await page.getByRole('button', { name: 'Set the tag' }).click();
  await undo('Tagged 3 runs');
  await page.getByRole('searchbox', { name: 'Filter the runs' }).fill('tags.team is not null');
  await expectRuns(page, true, 0);
  await page.getByRole('searchbox', { name: 'Filter the runs' }).fill('');

  await toolbar.getByRole('button', { name: 'Rename', exact: true }).click();
  await page.getByLabel('New name').fill('other-{n}');
  await page.getByRole('button', { name: 'Rename', exact: true }).last().click();
  await expect(page.getByRole('rowheader', { name: 'other-3' })).toBeVisible();
  await undo('Renamed 3 runs');
  await expect(page.getByRole('rowheader', { name: 'run-00' })).toBeVisible();
  await expect(page.getByRole('rowheader', { name: 'other-3' })).toHaveCount(0);

  await toolbar.getByRole('button', { name: 'Out of sight' }).click();
  await expectRuns(page, true, RUNS - 3);
  await undo('Moved out of sight 3 runs');
  await expectRuns(page, true, RUNS);

  await toolbar.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('Deleted 3 runs', { exact: true })).toBeVisible();
  await page.getByRole('group', { name: 'Which runs' }).getByRole('link', { name: 'Deleted' }).click();
  await expectRuns(page, true, 3);
  await page.getByRole('checkbox', { name: 'Select all runs that are shown' }).click();
  await toolbar.getByRole('button', { name: 'Restore' }).click();
  await undo('Restored 3 runs');
  await expectRuns(page, true, 3);
  await expect(toolbar).toContainText('3 runs selected');
  await toolbar.getByRole('button', { name: 'Restore' }).click();
  await page.getByRole('group', { name: 'Which runs' }).getByRole('link', { name: 'Active' }).click();
  await expectRuns(page, true, RUNS);

  // Stopped, all but those that are on their way stay as they are.
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/runs/set-tag', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('checkbox', { name: 'Select all runs that are shown' }).click();
  await toolbar.getByRole('button', { name: 'Out of sight' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.locator('.work').getByRole('button', { name: 'Stop' }).click();
  release();
  await expect(says).toContainText('4 out of sight');
  await expect(page.getByText(`Moved out of sight 4 of ${RUNS} runs`)).toBeVisible();
});

test('saved as JSON Lines, those that are selected', async ({ page }) => {
  await page.getByRole('checkbox', { name: 'Select run-03' }).click();
  await page.getByRole('button', { name: 'Export' }).click();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'JSON Lines' }).click();
  const text = await readFile(await (await saved).path(), 'utf8');
  const runs = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(runs.map((run) => run['run_name'])).not.toContain('run-03');
  expect(runs).toHaveLength(RUNS - 1);
  expect(runs[0]).toMatchObject({ run_name: 'run-11', status: 'FINISHED', 'metrics.loss': 11 });
});

test('saved as CSV', async ({ page }) => {
  await page.getByRole('button', { name: 'Export' }).click();
  const saved = page.waitForEvent('download');
  await page.getByRole('button', { name: 'CSV' }).click();
  const text = await readFile(await (await saved).path(), 'utf8');
  const lines = text.trimEnd().split('\r\n');
  expect(lines).toHaveLength(RUNS + 1);
  expect(lines[0]).toMatch(/^run_id,run_name,.*metrics\.loss/);
  expect(lines[1]).toContain('run-11');
});
