// Many runs changed at once.

import { readFile } from 'node:fs/promises';

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
  await page.reload();
  await expect(page.getByRole('rowheader').last()).toContainText(`sweep-${RUNS}-run-00`);
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
