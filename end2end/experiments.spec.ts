// Experiments, read: folders, search, order.

import { names } from './lib/seed.mjs';
import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

test('the document names the experiments before any script runs', async ({ context, flowdeck }) => {
  const answer = await context.request.get(`${flowdeck.url}/experiments?list=all`);
  expect(answer.status()).toBe(200);
  const html = await answer.text();
  expect(html.trimEnd().endsWith('</html>'), 'the document is whole').toBe(true);
  const read = html.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<[^>]*>/g, '');
  const { secret, ...visible } = names;
  for (const name of Object.values(visible)) expect(read).toContain(escaped(name));
  expect(html).not.toContain(secret);
  expect(html).not.toContain('of-the-board');
});

test('folders come from slashes and are walked by links', async ({ page, visit }) => {
  await visit('/experiments');
  await expect(page).toHaveTitle('Experiments · Flowdeck');
  const table = page.getByRole('table', { name: 'Experiments' });
  await expect(table.getByRole('link', { name: names.sweep })).toBeVisible();
  await expect(table.getByRole('link', { name: 'baseline' })).toHaveCount(0);
  await expect(table.getByRole('row', { name: /vision.*3 experiments/ })).toBeVisible();
  await table.getByRole('link', { name: 'vision', exact: true }).click();
  await expect(page).toHaveURL(/\?folder=vision$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('vision');
  await table.getByRole('link', { name: 'resnet', exact: true }).click();
  await expect(page).toHaveURL(/\?folder=vision%2Fresnet$/);
  await expect(table.getByRole('link')).toContainText([/Name/, /Updated/, /Created/, 'augmented', 'baseline']);
  const way = page.getByRole('navigation', { name: 'Where you are' });
  await way.getByRole('link', { name: 'vision' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('vision');
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('resnet');
  await page.goBack();
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
  await page.goForward();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('vision');
});

test('search looks into folders and is in the address', async ({ page, another, flowdeck, signIn, visit, hasScript }) => {
  await visit('/experiments');
  const search = page.getByRole('searchbox', { name: 'Search experiments' });
  await search.fill('BERT');
  await search.press('Enter');
  const table = page.getByRole('table', { name: 'Experiments' });
  await expect(table.getByRole('link', { name: names.squad })).toBeVisible();
  await expect(table.getByRole('link', { name: names.sweep })).toHaveCount(0);
  await expect(page).toHaveURL(/[?&]q=BERT/);
  // Without a script only what was asked for is counted.
  await expect(page.getByRole('status').filter({ hasText: /experiment|found/ })).toHaveText(hasScript ? /^1 of \d+ experiments$/ : '1 found', { useInnerText: true });

  const colleague = await another();
  await signIn(flowdeck.data.reader, colleague);
  const theirs = await visit(page.url().slice(flowdeck.url.length), await colleague.newPage());
  await expect(theirs.getByRole('link', { name: names.squad })).toBeVisible();
  await expect(theirs.getByRole('searchbox', { name: 'Search experiments' })).toHaveValue('BERT');
  await expect(theirs.getByRole('link', { name: names.sweep })).toHaveCount(0);
});

test('an id is found too, and nothing found is said', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments?q=${flowdeck.data.ids.vit}`);
  await expect(page.getByRole('link', { name: names.vit })).toBeVisible();
  await visit('/experiments?q=there+is+no+such+thing');
  await expect(page.getByRole('heading', { name: 'No experiment matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Show all' }).click();
  await expect(page.getByRole('link', { name: names.sweep })).toBeVisible();
});

test('columns sort, and the address says so', async ({ page, visit }) => {
  await visit('/experiments?folder=vision&list=all');
  const heading = page.getByRole('columnheader', { name: 'Name' });
  const rows = page.getByRole('table', { name: 'Experiments' }).getByRole('rowheader').getByRole('link');
  await heading.getByRole('link').click();
  await expect(page).toHaveURL(/sort=name/);
  await expect(heading).toHaveAttribute('aria-sort', 'ascending');
  await expect(rows).toHaveText(['resnet/augmented', 'resnet/baseline', 'vit/first-light']);
  await heading.getByRole('link').click();
  await expect(heading).toHaveAttribute('aria-sort', 'descending');
  await expect(rows).toHaveText(['vit/first-light', 'resnet/baseline', 'resnet/augmented']);
});

test('tags filter', async ({ page, visit }) => {
  await visit('/experiments');
  await page.getByRole('button', { name: 'Tags' }).click();
  await page.getByRole('group', { name: 'Filter by tag' }).getByRole('link', { name: /team.*nlp/ }).click();
  const table = page.getByRole('table', { name: 'Experiments' });
  await expect(table.getByRole('link', { name: names.squad })).toBeVisible();
  await expect(table.getByRole('link', { name: names.sweep })).toHaveCount(0);
  await expect(page).toHaveURL(/tag=team/);
  await page.getByRole('link', { name: 'Do not filter by team' }).click();
  await expect(table.getByRole('link', { name: names.sweep })).toBeVisible();
});

test('odd names are text, whole and harmless', async ({ page, visit }) => {
  await visit('/experiments?list=all');
  for (const name of [names.long, names.emoji, names.rtl]) {
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  }
  await expect(page.locator('main b')).toHaveCount(0);
});

test('nothing deleted yet, or only what others deleted', async ({ page, visit }) => {
  await visit('/experiments');
  const which = page.getByRole('navigation', { name: 'Which experiments' });
  await which.getByRole('link', { name: 'Deleted' }).click();
  await expect(page).toHaveURL(/view=deleted/);
  await expect(page.getByRole('link', { name: names.sweep })).toHaveCount(0);
  await which.getByRole('link', { name: 'Active' }).click();
  await expect(page.getByRole('link', { name: names.sweep })).toBeVisible();
});
