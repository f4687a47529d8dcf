// The runs of an experiment on the screen: pages of them where no script runs, else all of them in one table, of which only those in sight are drawn.

import type { Page } from '@playwright/test';

import { expect } from './test';

export const rows = (page: Page) => page.getByRole('grid', { name: 'Runs' }).or(page.getByRole('table', { name: 'Runs' })).getByRole('rowheader');
export const filter = (page: Page) => page.getByRole('searchbox', { name: 'Filter the runs' });

/** Waits until the table has so many runs; where no script runs, a page has at most a hundred. */
export async function expectRuns(page: Page, hasScript: boolean, count: number) {
  if (!hasScript) return expect(rows(page)).toHaveCount(Math.min(count, 100));
  if (count === 0) return expect(rows(page)).toHaveCount(0);
  await expect(page.getByRole('grid', { name: 'Runs' })).toHaveAttribute('aria-rowcount', String(count + 1));
}

/** So many runs are in sight on any screen of the tests. */
export const IN_SIGHT = 15;

export async function ask(page: Page, text: string) {
  await filter(page).fill(text);
  await filter(page).press('Enter');
}
