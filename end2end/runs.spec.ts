// An experiment's runs: filter, order, columns, pages.

import { awake } from './lib/guard';
import { IN_SIGHT, ask, expectRuns, filter, rows } from './lib/runs';
import { SWEEP, names } from './lib/seed.mjs';
import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

const trial = (index: number) => `trial-${String(index).padStart(3, '0')}`;
const trials = Array.from({ length: SWEEP }, (_, index) => index);
/** As the seed counts it. */
const accuracy = (index: number) => ((index * 97) % SWEEP) / SWEEP;

test('the document has the runs before any script runs', async ({ context, flowdeck }) => {
  const answer = await context.request.get(`${flowdeck.url}/experiments/${flowdeck.data.ids.sweep}`);
  const html = (await answer.text()).replace(/<script[\s\S]*?<\/script>/g, '');
  expect(html.trimEnd().endsWith('</html>')).toBe(true);
  for (const name of [names.sweep, trial(SWEEP - 1), trial(SWEEP - 100), 'resnet50']) expect(html).toContain(name);
});

test('an experiment is found, and opened', async ({ page, visit, hasScript }) => {
  await visit('/experiments');
  await page.getByRole('link', { name: names.sweep }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(names.sweep);
  await expect(page).toHaveTitle(`${names.sweep} · Flowdeck`);
  await expectRuns(page, hasScript, SWEEP);
  await expect(rows(page).first()).toContainText(trial(SWEEP - 1));
  for (const column of ['Status', 'Started', 'Duration', 'User', 'accuracy', 'loss', 'lr', 'model']) {
    await expect(page.getByRole('columnheader', { name: column })).toBeVisible();
  }
  const row = page.getByRole('row', { name: trial(SWEEP - 1) });
  await expect(row).toContainText('Finished');
  await expect(row).toContainText('admin');
  await expect(row).toContainText('vit-b16');
});

test('pages of runs, there and back', async ({ page, flowdeck, visit, hasScript }) => {
  test.skip(hasScript, 'all runs are in one table');
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  const pages = page.getByRole('navigation', { name: 'Pages of runs' });
  await expect(page.getByText('1–100 of 100+ runs')).toBeVisible();
  await expect(pages.getByRole('link', { name: 'Previous' })).toHaveCount(0);
  await pages.getByRole('link', { name: 'Next' }).click();
  await expect(page.getByText('101–200 of 200+ runs')).toBeVisible();
  await expect(rows(page).first()).toContainText(trial(SWEEP - 101));
  await pages.getByRole('link', { name: 'Next' }).click();
  await expect(page.getByText('201–250 of 250 runs')).toBeVisible();
  await expect(rows(page)).toHaveCount(50);
  await expect(pages.getByRole('link', { name: 'Next' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByText('201–250 of 250 runs')).toBeVisible();
  await pages.getByRole('link', { name: 'Previous' }).click();
  await expect(page.getByText('101–200 of 200+ runs')).toBeVisible();
  await page.goBack();
  await expect(page.getByText('201–250 of 250 runs')).toBeVisible();
  await page.goBack();
  await expect(page.getByText('101–200 of 200+ runs')).toBeVisible();
  await pages.getByRole('link', { name: 'Previous' }).click();
  await expect(page.getByText('1–100 of 100+ runs')).toBeVisible();
});

test("runs are filtered in MLflow's language", async ({ page, another, flowdeck, signIn, visit, hasScript }) => {
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  await ask(page, "metrics.accuracy > 0.95 and params.model = 'vit-b16' and tags.stage != 'test'");
  const expected = trials.filter((index) => accuracy(index) > 0.95 && index % 2 === 1 && index % 5 !== 0).map(trial);
  await expect(rows(page)).toHaveCount(expected.length);
  for (const name of expected) await expect(page.getByRole('link', { name })).toBeVisible();
  await expect(page).toHaveURL(/[?&]q=metrics/);

  // The copied address shows the same to a colleague.
  const colleague = await another();
  await signIn(flowdeck.data.reader, colleague);
  const theirs = await visit(page.url().slice(flowdeck.url.length), await colleague.newPage());
  await expect(rows(theirs)).toHaveText(await rows(page).allTextContents());
  await expect(filter(theirs)).toHaveValue("metrics.accuracy > 0.95 and params.model = 'vit-b16' and tags.stage != 'test'");

  await page.getByRole('link', { name: 'Clear the filter' }).click();
  await expectRuns(page, hasScript, SWEEP);
  await expect(filter(page)).toHaveValue('');
  await page.goBack();
  await awake(page, hasScript);
  await expect(rows(page)).toHaveCount(expected.length);
  await expect(filter(page)).toHaveValue(/^metrics/);
  await page.goForward();
  await expectRuns(page, hasScript, SWEEP);
});

test('plain words look for names', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  await ask(page, 'TRIAL-00');
  await expect(rows(page)).toHaveCount(10);
  await expect(page.locator('.statusbar')).toContainText('10 runs match');
});

for (const [typed, says, mlflow] of [
  ['metrics.accuracy >> 3', 'A number without quotes', 'does not compare'],
  ["params.model > 'r'", 'only numbers', 'does not compare'],
  ['nonsense.key = 3', 'Runs have no “nonsense”', 'Runs have no “nonsense”'],
] as const) {
  test(`what cannot be read is told at the field: ${typed}`, async ({ page, guard, flowdeck, visit, hasScript }) => {
    guard.expectStatus(400);
    const said = hasScript ? says : mlflow;
    await visit(`/experiments/${flowdeck.data.ids.sweep}`);
    await ask(page, typed);
    await expect(page.getByRole('alert')).toContainText(said);
    await expect(filter(page)).toHaveValue(typed);
    await expect(filter(page)).toHaveAttribute('aria-invalid', 'true');
    await expect(filter(page)).toHaveAccessibleDescription(new RegExp(said));
    await ask(page, 'trial-007');
    await expect(rows(page)).toHaveCount(1);
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}

test('MLflow knows no “or”; a script does', async ({ page, guard, flowdeck, visit, hasScript }) => {
  guard.expectStatus(400);
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  await ask(page, 'metrics.accuracy > 0.99 or metrics.loss < 1.005');
  if (!hasScript) return expect(page.getByRole('alert')).toContainText('knows no “or”');
  const expected = trials.filter((index) => accuracy(index) > 0.99 || 1 + index / SWEEP < 1.005);
  await expectRuns(page, hasScript, expected.length);
  for (const name of expected.map(trial)) await expect(page.getByRole('link', { name })).toBeVisible();
});

test('nothing found is said, with a way back', async ({ page, flowdeck, visit, hasScript }) => {
  await visit(`/experiments/${flowdeck.data.ids.sweep}?q=${encodeURIComponent('metrics.accuracy > 7')}`);
  await expect(page.getByRole('heading', { name: 'No run matches' })).toBeVisible();
  await page.getByRole('link', { name: 'Show all runs' }).click();
  await expectRuns(page, hasScript, SWEEP);
});

test('runs are sorted by a metric', async ({ page, flowdeck, visit, hasScript }) => {
  const seen = hasScript ? IN_SIGHT : 100;
  const first = () => rows(page).filter({ hasText: 'trial' });
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  const heading = page.getByRole('columnheader', { name: 'accuracy' });
  const order = [...trials].sort((a, b) => accuracy(b) - accuracy(a)).map(trial);
  await heading.getByRole('link').click();
  await expect(heading).toHaveAttribute('aria-sort', 'descending');
  for (const [at, name] of order.slice(0, seen).entries()) await expect(first().nth(at)).toContainText(name);
  await expect(page).toHaveURL(/sort=-m%3Aaccuracy|sort=-m:accuracy/);
  await heading.getByRole('link').click();
  await expect(heading).toHaveAttribute('aria-sort', 'ascending');
  for (const [at, name] of order.toReversed().slice(0, seen).entries()) await expect(first().nth(at)).toContainText(name);
  await page.goBack();
  await expect(heading).toHaveAttribute('aria-sort', 'descending');
  await expect(rows(page).first()).toContainText(order[0]);
});

test('columns are chosen, and the address says which', async ({ page, another, flowdeck, signIn, visit, hasScript }) => {
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  await page.getByRole('link', { name: 'Columns' }).click();
  const panel = page.getByRole('complementary', { name: 'Columns' });
  await panel.getByRole('checkbox', { name: 'stage' }).check();
  await panel.getByRole('checkbox', { name: 'User' }).uncheck();
  if (!hasScript) await panel.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('columnheader', { name: 'stage' })).toBeVisible();
  await expect(page.getByRole('columnheader', { name: 'User' })).toHaveCount(0);
  await expect(page.getByRole('columnheader', { name: 'accuracy' })).toBeVisible();

  const colleague = await another();
  await signIn(flowdeck.data.reader, colleague);
  const theirs = await visit(page.url().slice(flowdeck.url.length), await colleague.newPage());
  await expect(theirs.getByRole('columnheader')).toHaveText(await page.getByRole('columnheader').allTextContents());

  await panel.getByRole('link', { name: 'Close the columns' }).click();
  await expect(panel).toHaveCount(0);
  await expect(page.getByRole('columnheader', { name: 'stage' })).toBeVisible();
});

test('running, failed, NaN and infinite are told apart', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments/${flowdeck.data.ids.odd}`);
  const row = (name: string) => page.getByRole('row', { name });
  await expect(row('still-running')).toContainText('Running');
  await expect(row('it-failed')).toContainText('Failed');
  await expect(row('not-a-number')).toContainText('NaN');
  await expect(row('to-infinity')).toContainText('∞');
  await expect(row('to-infinity')).toContainText('-∞');
  await expect(row('ריצה ראשונה')).toContainText('🦊 <i>x</i>');
  await expect(row('child-1')).toBeVisible();
  await expect(page.locator('main i:not(.skeleton i)')).toHaveCount(0);
});

test('no runs yet: how to log the first one', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments/${flowdeck.data.ids.empty}`);
  await expect(page.getByRole('heading', { name: 'No runs yet' })).toBeVisible();
  await expect(page.getByText('mlflow.start_run()')).toBeVisible();
  await page.getByRole('group', { name: 'Which runs' }).getByRole('link', { name: 'Deleted' }).click();
  await expect(page.getByRole('heading', { name: 'No deleted runs' })).toBeVisible();
});

test('what an experiment is about', async ({ page, flowdeck, visit }) => {
  await visit(`/experiments/${flowdeck.data.ids.baseline}`);
  await page.getByRole('navigation', { name: 'Experiment', exact: true }).getByRole('link', { name: 'About' }).click();
  await expect(page).toHaveURL(/tab=about/);
  await expect(page.getByRole('heading', { name: 'Baseline', exact: true })).toBeVisible();
  await expect(page.getByText('resnet50', { exact: true })).toBeVisible();
  await expect(page.getByText('vision').first()).toBeVisible();
});
