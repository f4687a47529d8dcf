// The console by keyboard alone.

import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

test('the first Tab leads past the frame', async ({ page, visit }) => {
  await visit('/experiments');
  await page.keyboard.press('Tab');
  const skip = page.getByRole('link', { name: 'Skip to the content' });
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
});

test('/ goes to the search, arrows to the rows, Enter opens', async ({ page, visit }) => {
  await visit('/experiments');
  await page.keyboard.press('/');
  const search = page.getByRole('searchbox', { name: 'Search experiments' });
  await expect(search).toBeFocused();
  await expect(search).toHaveValue('');
  await page.keyboard.type('sweep');
  await expect(page.getByRole('rowheader')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: 'sweep-of-learning-rates' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('sweep-of-learning-rates');
  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox', { name: 'Filter the runs' })).toBeFocused();
  const runs = page.getByRole('grid', { name: 'Runs' });
  await expect(runs).toHaveAttribute('aria-rowcount', '251');
  await page.keyboard.press('ArrowDown');
  await expect(runs).toBeFocused();
  await expect(page.locator('#cell-at')).toContainText('trial-249');
  await page.keyboard.press('j');
  await expect(page.locator('#cell-at')).toContainText('trial-248');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('trial-249');
});

test('? lists the keys, Escape closes and gives the focus back', async ({ page, visit }) => {
  await visit('/experiments');
  const link = page.getByRole('link', { name: 'sweep-of-learning-rates' });
  await link.focus();
  await page.keyboard.press('?');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await expect(keys).toBeVisible();
  await expect(keys).toContainText('search on this page');
  await page.keyboard.press('Escape');
  await expect(keys).toBeHidden();
  await expect(link).toBeFocused();
});

test('menus: arrows go through them, Escape gives the focus back', async ({ page, visit }) => {
  await visit('/experiments');
  const button = page.getByRole('button', { name: /^Account of/ });
  await button.focus();
  await page.keyboard.press('Enter');
  const menu = page.getByRole('group', { name: 'Account' });
  await expect(menu).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(menu.getByRole('link', { name: 'Account' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(menu.getByRole('link', { name: 'API keys' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(menu.getByRole('button', { name: /Keys/ })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(menu).toBeHidden();
  await expect(button).toBeFocused();
});

test('n makes a new experiment; keys that are typed are text', async ({ page, visit }) => {
  await visit('/experiments');
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New experiment' });
  await expect(dialog.getByLabel('Name')).toBeFocused();
  await page.keyboard.type('n/?j');
  await expect(dialog.getByLabel('Name')).toHaveValue('n/?j');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('what is focused can be seen', async ({ page, visit }) => {
  await visit('/experiments');
  for (let step = 0; step < 12; step += 1) {
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement ?? document.body);
      return { tag: document.activeElement?.outerHTML.slice(0, 120), visible: (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) > 0) || boxShadow !== 'none' };
    });
    expect(outline, `step ${step}`).toMatchObject({ visible: true });
  }
});
