// The lines of the table of runs, from the first to the last: only those in sight are in the document.

import type { Page } from '@playwright/test';

import { expect } from './test';

export type Line = { name: string; depth: number; selected: boolean; dimmed: boolean; group: boolean };

export const grid = (page: Page) => page.getByRole('grid', { name: 'Runs' });
export const status = (page: Page) => page.locator('.statusbar');

/** Scrolls through the whole table and says what stands in it. Where it changes meanwhile, that is neither what was nor what is. */
export async function lines(page: Page): Promise<Line[]> {
  return grid(page).evaluate(async (table) => {
    const scroll = table.parentElement as HTMLElement;
    const row = (index: number) => table.querySelector<HTMLElement>(`tr[aria-rowindex="${index}"]`);
    const found: Line[] = [];
    const height = () => row(found.length + 1)?.offsetHeight ?? 28;
    // The heading is line 1. Lines may go while one scrolls.
    const isMore = () => found.length + 1 < Number(table.getAttribute('aria-rowcount'));
    while (isMore()) {
      scroll.scrollTop = found.length * height();
      let at = row(found.length + 2);
      while (!at && isMore()) {
        await new Promise(requestAnimationFrame);
        // Where lines went, the table may have moved away from it.
        scroll.scrollTop = found.length * height();
        at = row(found.length + 2);
      }
      for (; at; at = row(found.length + 2)) {
        const head = at.querySelector<HTMLElement>('th');
        found.push({
          name: head?.querySelector('.name')?.textContent ?? '',
          depth: Number(head?.style.getPropertyValue('--depth')),
          selected: at.getAttribute('aria-selected') === 'true',
          dimmed: at.classList.contains('dimmed'),
          group: at.classList.contains('group'),
        });
      }
    }
    return found;
  });
}

/** Waits until the lines read so: two spaces for each level, `(…)` for runs that only lead to others. */
export async function expectLines(page: Page, wanted: string[]) {
  const written = ({ name, depth, dimmed }: Line) => '  '.repeat(depth) + (dimmed ? `(${name})` : name);
  await expect.poll(async () => (await lines(page)).map(written)).toEqual(wanted);
}

/** Chooses something in a menu that stays open. */
export async function layout(page: Page, item: string) {
  await page.getByRole('button', { name: 'Layout' }).click();
  await page.getByRole('group', { name: 'Layout' }).getByRole('link', { name: item, exact: true }).click();
  await page.keyboard.press('Escape');
}

export async function groupBy(page: Page, column: string) {
  await page.getByRole('button', { name: 'Layout' }).click();
  await page.getByLabel('Group by', { exact: true }).selectOption({ label: column });
  await page.keyboard.press('Escape');
}
