// Runs side by side, used.

import { cells, compared, keys, names, row, table, withFiles } from './lib/compared';
import { expectRuns } from './lib/runs';
import { expect, fresh, test } from './lib/test';

test('selected runs are compared', async ({ page, person, signIn, visit, hasScript }) => {
  const { experiment, first, second } = await compared(person);
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expectRuns(page, hasScript, 2);
  const tools = page.getByRole('toolbar', { name: 'Selected runs' });
  await page.getByRole('checkbox', { name: /first-try/ }).check();
  await expect(tools).toContainText('1 run selected');
  // One alone cannot be.
  await expect(tools.getByRole('link', { name: 'Compare' })).toHaveCount(0);
  await page.getByRole('checkbox', { name: /second-try/ }).check();
  await tools.getByRole('link', { name: 'Compare' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Compare 2 runs');
  await expect(page).toHaveURL(new RegExp(`/experiments/${experiment}/compare\\?runs=`));
  for (const run of [first, second]) expect(page.url()).toContain(run);
  await expect(cells(page, 'optimizer')).toHaveCount(2);
});

test('keys are found while one types, and slash goes there', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  await page.keyboard.press('/');
  const find = page.getByRole('searchbox', { name: 'Find a key' });
  await expect(find).toBeFocused();
  await page.keyboard.type('opt');
  await expect(keys(page)).toHaveText(['optimizer']);
  await expect(page).toHaveURL(/q=opt/);
  await find.fill('');
  await expect(row(page, 'seed')).toBeVisible();
});

test('the focus stays with the column that was moved', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  const menu = page.getByRole('button', { name: 'Actions for first-try' });
  await menu.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('group', { name: 'Actions for first-try' }).getByRole('link', { name: 'Move right' }).focus();
  await page.keyboard.press('Enter');
  await expect(names(page)).toHaveText(['second-try', 'first-try', 'third-try']);
  await expect(menu).toBeFocused();
});

test('taking a run away, and going back, asks MLflow for nothing', async ({ page, person, signIn, visit }) => {
  const { path } = await compared(person);
  await signIn(person);
  await visit(path);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await page.getByRole('button', { name: 'Actions for first-try' }).click();
  await page.getByRole('group', { name: 'Actions for first-try' }).getByRole('link', { name: 'Remove' }).click();
  await expect(names(page)).toHaveText(['second-try', 'third-try']);
  await page.goBack();
  await expect(names(page)).toHaveText(['first-try', 'second-try', 'third-try']);
  expect(asked.filter((path) => path.includes('/runs/'))).toEqual([]);
});

test('keys and names stay in sight', async ({ page, person, signIn, visit }) => {
  const experiment = await person.experiment(`compared-${fresh()}`);
  const params = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`param-${String(at).padStart(2, '0')}`, String(at)]));
  const runs: string[] = [];
  for (let at = 0; at < 12; at += 1) runs.push(await person.run(experiment, { name: `run-${at}`, params }));
  await signIn(person);
  await visit(`/experiments/${experiment}/compare?runs=${runs.join(',')}`);
  await page.getByRole('region', { name: 'Table of runs' }).evaluate((element) => element.scrollTo(element.scrollWidth, element.scrollHeight));
  await expect(names(page).last()).toBeInViewport({ ratio: 1 });
  await expect(row(page, 'param-79').getByRole('rowheader')).toBeInViewport({ ratio: 1 });
  await expect(names(page).first()).not.toBeInViewport();
});

test('texts are compared line by line', async ({ page, person, signIn, visit }) => {
  const runs = await compared(person);
  await withFiles(person, runs);
  await signIn(person);
  await visit(`${runs.path}&tab=artifacts`);
  const files = page.getByRole('region', { name: 'Files' });
  await files.getByRole('link', { name: 'notes.txt' }).click();
  const look = page.getByRole('region', { name: 'notes.txt in two runs' });
  await expect(look.getByRole('status')).toHaveText('1 line removed, 1 line added');
  await expect(look.locator('.gone li')).toHaveText(['−line 20']);
  await expect(look.locator('.new li')).toHaveText(['+line twenty']);
  // What is near the change is there, the rest opens.
  await expect(look.getByText('line 19', { exact: true }).first()).toBeVisible();
  await expect(look.getByText('line 2', { exact: true }).first()).toBeHidden();
  await look.getByText('16 lines the same').click();
  await expect(look.getByText('line 2', { exact: true }).first()).toBeVisible();
  // On a phone what is the same is there once.
  await expect(look.getByText('line 19', { exact: true }).locator('visible=true')).toHaveCount(2);
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(look.getByText('line 19', { exact: true }).locator('visible=true')).toHaveCount(1);
  await page.setViewportSize({ width: 1440, height: 900 });

  await files.getByRole('link', { name: 'same.txt' }).click();
  await expect(page.getByRole('region', { name: 'same.txt in two runs' })).toContainText('Both are the same.');
  // JSON is laid out first, so that only the changed value is a change.
  await files.getByRole('link', { name: 'config' }).click();
  await files.getByRole('link', { name: 'deep' }).click();
  await files.getByRole('link', { name: 'model.json' }).click();
  const json = page.getByRole('region', { name: 'model.json in two runs' });
  await expect(json.locator('.gone li')).toHaveText([/"lr": 0\.1/]);
  await expect(json.locator('.new li')).toHaveText([/"lr": 0\.2/]);
  await page.getByRole('link', { name: 'Swap' }).click();
  await expect(json.locator('.gone li')).toHaveText([/"lr": 0\.2/]);
  await page.goBack();
  await expect(json.locator('.gone li')).toHaveText([/"lr": 0\.1/]);
  // A file that only one of them has is shown as on the run's page.
  await files.getByRole('link', { name: 'only-here.md' }).click();
  await expect(page.getByRole('region', { name: 'only-here.md in two runs' }).getByRole('heading', { name: 'Only here' })).toBeVisible();
});

test('a slider wipes between two pictures, by key too', async ({ page, person, signIn, visit }) => {
  const runs = await compared(person);
  await withFiles(person, runs);
  await signIn(person);
  await visit(`${runs.path}&tab=artifacts&path=plots%2Fcurve.png`);
  const look = page.getByRole('region', { name: 'curve.png in two runs' });
  for (const run of ['first-try', 'second-try']) {
    const image = look.getByRole('img', { name: `curve.png of ${run}` });
    await expect.poll(() => image.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(32);
  }
  const slider = look.getByRole('slider', { name: 'Wipe between the two pictures' });
  const shown = () => look.getByRole('img', { name: 'curve.png of first-try' }).evaluate((image) => getComputedStyle(image).clipPath);
  expect(await shown()).toContain('50%');
  await slider.focus();
  await page.keyboard.press('End');
  await expect(slider).toHaveValue('100');
  await expect.poll(shown).not.toContain('50%');
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowRight');
  await expect(slider).toHaveAttribute('aria-valuetext', '1 % first-try, 99 % second-try');
});

test('the files that are listed are asked for once', async ({ page, person, signIn, visit }) => {
  const runs = await compared(person);
  await withFiles(person, runs);
  await signIn(person);
  await visit(`${runs.path}&tab=artifacts`);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/artifacts/list')) asked.push(new URL(request.url()).searchParams.get('path') ?? '');
  });
  const files = page.getByRole('region', { name: 'Files' });
  await files.getByRole('link', { name: 'config' }).click();
  await expect(files.getByRole('link', { name: 'deep' })).toBeVisible();
  await files.getByRole('link', { name: 'config' }).click();
  await expect(files.getByRole('link', { name: 'deep' })).toHaveCount(0);
  await files.getByRole('link', { name: 'config' }).click();
  await expect(files.getByRole('link', { name: 'deep' })).toBeVisible();
  expect(asked).toEqual(['config', 'config', 'config']);
});
