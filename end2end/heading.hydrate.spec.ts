// What is done with a column at its heading: colours, bars, extremes of histories, place and width.

import type { Page } from '@playwright/test';

import { reload } from './lib/guard';
import { expect, fresh, test } from './lib/test';

const STEPS = [3, 0.5, 7, 2];

const headings = (page: Page) => page.getByRole('columnheader').locator('bdi');
const heading = (page: Page, id: string) => page.locator(`th[data-column="${id}"]`);

async function choose(page: Page, column: string, item: string) {
  await heading(page, column).hover();
  await heading(page, column).getByRole('button').click();
  await page.getByRole('group', { name: 'The column' }).getByRole('link', { name: item }).click();
}

test.beforeEach(async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`headings-${fresh()}`);
  for (let index = 0; index < 4; index += 1) {
    const loss = STEPS.map((value) => value + index);
    await person.run(experiment, { name: `run-${index}`, start: 1_700_000_000_000 + index, params: { lr: `0.${index}` }, metrics: { loss } });
  }
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expect(page.locator('.statusbar')).toContainText('All 4 runs are here');
});

test('the smallest, largest and first value of a history, sorted by', async ({ page }) => {
  await choose(page, 'm:loss', 'Smallest value of the history');
  const cell = (row: string, text: string) => page.getByRole('row', { name: row }).getByRole('gridcell', { name: text, exact: true });
  await expect(cell('run-0', '0.5')).toBeVisible();
  await expect(cell('run-3', '3.5')).toBeVisible();
  await choose(page, 'm:loss', 'Largest value of the history');
  await expect(cell('run-3', '10')).toBeVisible();
  await choose(page, 'm:loss', 'First value of the history');
  await expect(cell('run-2', '5')).toBeVisible();
  await choose(page, 'min:loss', 'Sort, smallest first');
  await expect(page.getByRole('rowheader').first()).toContainText('run-0');
  await choose(page, 'min:loss', 'Sort, largest first');
  await expect(page.getByRole('rowheader').first()).toContainText('run-3');
  // It is in the address.
  await reload(page);
  await expect(cell('run-3', '3.5')).toBeVisible();
  await expect(page.getByRole('rowheader').first()).toContainText('run-3');
});

test('colours and bars show how large numbers are', async ({ page }) => {
  await choose(page, 'm:loss', 'Colour by value');
  await expect(page.locator('td.paint-heat')).toHaveCount(4);
  const largest = page.getByRole('row', { name: 'run-3' }).locator('td.paint-heat');
  await expect(largest).toHaveAttribute('style', /--part: ?1/);
  await choose(page, 'm:loss', 'Bars');
  await expect(page.locator('td.paint-bar')).toHaveCount(4);
  await expect(page.locator('td.paint-heat')).toHaveCount(0);
  await choose(page, 'm:loss', 'Bars');
  await expect(page.locator('td.paint-bar')).toHaveCount(0);
});

test('columns are moved by menu and by hand, and taken away', async ({ page }) => {
  await choose(page, 'user', 'Move to the front');
  await expect(headings(page).nth(1)).toHaveText('User');
  await heading(page, 'm:loss').dragTo(heading(page, 'user'));
  await expect(headings(page).nth(1)).toHaveText('loss');
  await choose(page, 'user', 'Take the column away');
  await expect(heading(page, 'user')).toHaveCount(0);
  await page.goBack();
  await expect(heading(page, 'user')).toHaveCount(1);
});

test('a column is made wider, and has its own width again', async ({ page }) => {
  const width = async () => (await heading(page, 'm:loss').boundingBox())?.width ?? 0;
  const before = await width();
  const grip = heading(page, 'm:loss').locator('.grip');
  const box = await grip.boundingBox();
  if (!box) throw new Error('there is no edge to pull');
  await page.mouse.move(box.x + 4, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + 64, box.y + 8, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/widths=/);
  expect(Math.round((await width()) - before)).toBe(60);
  await grip.dblclick();
  await expect(page).not.toHaveURL(/widths=/);
  expect(await width()).toBe(before);
});

test('groups say what is asked of them', async ({ page }) => {
  await choose(page, 'p:lr', 'Group by it');
  await expect(page.getByRole('rowheader', { name: '0.3' })).toBeVisible();
  await page.getByRole('button', { name: 'Layout' }).click();
  await page.getByLabel('Groups show').selectOption('count');
  await expect(page).toHaveURL(/agg=count/);
  const group = page.getByRole('row', { name: '0.3' }).first();
  await expect(group.getByRole('gridcell', { name: '1', exact: true }).first()).toBeVisible();
});
