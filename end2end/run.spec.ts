// A run, read.

import { names } from './lib/seed.mjs';
import { rows } from './lib/runs';
import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

const address = ({ ids, runs }: { ids: Record<string, string>; runs: { details: string } }) => `/experiments/${ids.details}/runs/${runs.details}`;

test('the document has the run before any script runs', async ({ context, flowdeck }) => {
  const answer = await context.request.get(flowdeck.url + address(flowdeck.data));
  expect(answer.status()).toBe(200);
  const html = (await answer.text()).replace(/<script[\s\S]*?<\/script>/g, '');
  expect(html.trimEnd().endsWith('</html>')).toBe(true);
  for (const text of ['rich-run', names.details, 'optimizer/name', 'adam', '0.8125', 'accuracy', 'imagenet-mini', 'What was tried']) {
    expect(html).toContain(text);
  }
});

test('what went in and what came out', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments/${flowdeck.data.ids.details}`);
  await rows(page).getByRole('link', { name: 'rich-run' }).click();
  await expect(page).toHaveURL(flowdeck.url + address(flowdeck.data));
  await expect(page).toHaveTitle('rich-run · Flowdeck');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('rich-run');

  const metrics = page.getByRole('region', { name: 'Metrics', exact: true }).getByRole('table');
  // The last value, its step; four digits, the exact number kept.
  await expect(metrics.getByRole('row', { name: /accuracy/ })).toContainText(/0\.8125\s*2/);
  await expect(metrics.getByRole('row', { name: /loss/ })).toContainText(/0\.1235\s*2/);
  await expect(metrics.getByTitle('0.123456789')).toHaveText('0.1235');
  const params = page.getByRole('region', { name: 'Params', exact: true }).getByRole('table');
  await expect(params.getByRole('row', { name: /optimizer\/name/ })).toContainText('adam');
  await expect(params.getByRole('row', { name: /long/ })).toContainText('x'.repeat(600));

  const facts = page.getByRole('region', { name: 'Facts' });
  await expect(page.getByRole('main')).toContainText('Finished');
  await expect(facts).toContainText('1:02:05');
  await expect(facts).toContainText('train.py');
  await expect(facts).toContainText('admin');
  await expect(facts.getByTitle('0123456789abcdef0123456789abcdef01234567')).toBeVisible();
  const datasets = page.getByRole('region', { name: 'Datasets' });
  await expect(datasets).toContainText('imagenet-mini');
  await expect(datasets).toContainText('training');
  await expect(datasets).toContainText('1,000 rows');
  await expect(page.getByRole('region', { name: 'Tags' })).toContainText('train');

  const way = page.getByRole('navigation', { name: 'Where you are' });
  await way.getByRole('link', { name: names.details }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(names.details);
});

test('a note is Markdown, and nothing in it runs', async ({ page, flowdeck, visit }) => {
  await visit(address(flowdeck.data));
  const note = page.getByRole('region', { name: 'Note' });
  await expect(note.getByRole('heading', { name: 'What was tried' })).toBeVisible();
  await expect(note.locator('strong')).toHaveText('warm-up');
  await expect(note).toContainText('<script>top.attacked = "note"</script>');
  await expect(note.locator('script')).toHaveCount(0);
  await expect(note.locator('a[href^="javascript:"]')).toHaveCount(0);
  expect(await page.evaluate(() => 'attacked' in window)).toBe(false);
});

test('a run is found by its id alone', async ({ page, flowdeck, visit }) => {
  await visit(`/runs/${flowdeck.data.runs.details}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('rich-run');
  await expect(page.getByRole('navigation', { name: 'Where you are' }).getByRole('link', { name: names.details })).toBeVisible();
});

test('NaN, infinity and a run that is still running', async ({ page, flowdeck, visit }) => {
  const { ids, runs } = flowdeck.data;
  await visit(`/experiments/${ids.odd}/runs/${runs.nan}`);
  await expect(page.getByRole('row', { name: /loss/ })).toContainText('NaN');
  await visit(`/experiments/${ids.odd}/runs/${runs.infinite}`);
  await expect(page.getByRole('row', { name: /loss/ })).toContainText('∞');
  await expect(page.getByRole('row', { name: /gain/ })).toContainText('-∞');
  await visit(`/experiments/${ids.odd}/runs/${runs.running}`);
  await expect(page.getByRole('main')).toContainText('Running');
  await visit(`/experiments/${ids.odd}/runs/${runs.failed}`);
  await expect(page.getByRole('main')).toContainText('Failed');
  await expect(page.getByText('No metrics logged.')).toBeVisible();
});
