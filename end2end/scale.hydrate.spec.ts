// All runs of an experiment in the tab.

import type { Page } from '@playwright/test';

import { ask, expectRuns, filter, rows } from './lib/runs';
import { SWEEP } from './lib/seed.mjs';
import { expect, test } from './lib/test';

const grid = (page: Page) => page.getByRole('grid', { name: 'Runs' });
const status = (page: Page) => page.locator('.statusbar');
const at = (page: Page) => page.locator('#cell-at');

/** Opens the sweep, and waits until all of it is here. */
async function open(page: Page, visit: (path: string) => Promise<Page>, path: string) {
  await visit(path);
  await expect(status(page)).toContainText(`All ${SWEEP} runs are here`);
}

test('once all runs are here, sorting and filtering ask MLflow for nothing', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}`);
  const asked: string[] = [];
  page.on('request', (request) => {
    // Whether the newest runs are still the newest is asked every few seconds.
    const body = request.postDataJSON() as { filter?: string } | null;
    if (request.url().includes('runs/search') && (body?.filter ?? '') !== '') asked.push(request.postData() ?? '');
  });
  await filter(page).pressSequentially("params.model = 'resnet50' and (metrics.accuracy > 0.9 or name ~ '00')");
  const meant = Array.from({ length: SWEEP }, (_, index) => index).filter(
    (index) => index % 2 === 0 && (((index * 97) % SWEEP) / SWEEP > 0.9 || String(index).padStart(3, '0').includes('00')),
  );
  await expectRuns(page, true, meant.length);
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expect(rows(page).first()).toContainText(`trial-${meant.at(-1)}`);
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expect(rows(page).first()).toContainText('trial-000');
  expect(asked).toEqual([]);
});

test('the table by keyboard', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}`);
  await filter(page).focus();
  await page.keyboard.press('ArrowDown');
  await expect(grid(page)).toBeFocused();
  await expect(at(page)).toContainText('trial-249');
  await page.keyboard.press('Control+End');
  await expect(at(page)).toHaveAttribute('aria-colindex', (await grid(page).getAttribute('aria-colcount')) ?? '');
  await expect(at(page)).toBeInViewport();
  await page.keyboard.press('Home');
  await expect(at(page)).toContainText('trial-000');
  await page.keyboard.press('ArrowUp');
  await expect(at(page)).toContainText('trial-001');
  await page.keyboard.press('PageUp');
  await expect(at(page)).not.toContainText('trial-001');
  await expect(at(page)).toBeInViewport();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('PageDown');
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press(' ');
  await expect(page.getByRole('row', { name: 'trial-248' })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowRight');
  await expect(at(page)).toHaveAttribute('aria-colindex', '2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('trial-248');
});

test('far to the side each cell stands below the heading of its column', async ({ page, person, signIn, visit }) => {
  const experiment = await person.experiment(`far ${person.name}`);
  const [runs, metrics] = [20, 60];
  const keys = Array.from({ length: metrics }, (_, index) => `m${String(index).padStart(2, '0')}`);
  for (let run = 0; run < runs; run += 1) {
    await person.run(experiment, { name: `run-${run}`, metrics: Object.fromEntries(keys.map((key, index) => [key, index + run / 100])) });
  }
  await signIn(person);
  await visit(`/experiments/${experiment}?cols=${keys.map((key) => `m:${key}`).join(',')}`);
  await expectRuns(page, true, runs);
  const scroll = page.locator('.grid-scroll');
  for (const part of [1, 0.5, 0]) {
    await scroll.evaluate((element, part) => element.scrollTo(part * element.scrollWidth, 0), part);
    const last = page.getByRole('columnheader', { name: keys[Math.round(part * (metrics - 1))] });
    await expect(last).toBeInViewport();
    // Some rows follow in the frames after.
    const astray = () =>
      grid(page).evaluate((table) => {
        const headings = [...table.querySelectorAll('thead th[data-column^="m:"]')];
        const under = headings.map((heading) => [heading.getAttribute('aria-colindex'), heading.getBoundingClientRect().left, Number(heading.textContent.slice(1))]);
        const cells = (row: Element) => [...row.querySelectorAll('td[aria-colindex]')].map((cell) => [cell.getAttribute('aria-colindex'), cell.getBoundingClientRect().left, Math.floor(Number(cell.textContent))]);
        return [...table.querySelectorAll('tbody tr[data-line]')].filter((row) => JSON.stringify(cells(row)) !== JSON.stringify(under)).length;
      });
    await expect.poll(astray).toBe(0);
  }
});

test('numbers that are written short are copied whole', async ({ context, flowdeck, page, person, signIn, visit }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: flowdeck.origin });
  const experiment = await person.experiment(`copied ${person.name}`);
  await person.run(experiment, { name: 'a', metrics: { far: 0.123456789012, near: 2 } });
  await signIn(person);
  await visit(`/experiments/${experiment}?cols=m:far,m:near`);
  await expectRuns(page, true, 1);
  const cell = page.getByRole('gridcell', { name: '0.1235' });
  const copied = async () => {
    await page.keyboard.press('ControlOrMeta+c');
    return page.evaluate(() => navigator.clipboard.readText());
  };
  await cell.dblclick();
  expect(await copied()).toBe('0.123456789012');
  await grid(page).evaluate((table) => getSelection()?.selectAllChildren(table.querySelector('tbody') ?? table));
  expect((await copied()).split('\t')).toEqual(expect.arrayContaining(['0.123456789012', '2']));
});

test('what nobody is named is no run, while one types and after, and the rest comes back', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}`);
  const headings = await page.evaluateHandle(() => {
    const seen = new Set<string>();
    const look = () => document.querySelectorAll('main h2').forEach((heading) => seen.add(heading.textContent ?? ''));
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
    return seen;
  });
  await filter(page).pressSequentially('nobody');
  await expect(page.getByRole('heading', { name: 'No run matches' })).toBeVisible();
  await expect(page).toHaveURL(/q=nobody/);
  expect(await headings.evaluate((seen) => [...seen])).toEqual(['No run matches']);
  await expect(rows(page).first()).toBeHidden();
  await filter(page).fill('');
  await expectRuns(page, true, SWEEP);
  await expect(rows(page).first()).toContainText(`trial-${SWEEP - 1}`);
  await expect(page.getByRole('heading', { name: 'No run matches' })).toHaveCount(0);
});

test('a query that is wrong is marked where it is', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}`);
  await ask(page, "params.model = 'resnet50' and metrics.accuracy > 'x'");
  await expect(page.locator('.where mark')).toHaveText("'x'");
  await expect(page.getByRole('alert')).toContainText('A number without quotes');
  // What was shown stays.
  await expectRuns(page, true, SWEEP);
});

test('keys and values are offered, with how many runs have them', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}`);
  const offers = page.getByRole('listbox', { name: 'What could stand here' });
  await filter(page).pressSequentially('mod');
  await expect(offers.getByRole('option')).toHaveText(['params.model250']);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(filter(page)).toHaveValue('params.model ');
  await page.keyboard.type('= ');
  await expect(offers.getByRole('option')).toHaveText(["'resnet50'125", "'vit-b16'125"]);
  await offers.getByRole('option', { name: 'vit-b16' }).click();
  await page.keyboard.press('Enter');
  await expectRuns(page, true, SWEEP / 2);
  // It is remembered.
  await filter(page).fill('');
  await filter(page).blur();
  await filter(page).focus();
  await expect(offers.getByRole('option').first()).toContainText("params.model = 'vit-b16'");
});

test('runs in groups, opened and closed', async ({ flowdeck, page, signIn, visit }) => {
  await signIn(flowdeck.data.reader);
  await open(page, visit, `/experiments/${flowdeck.data.ids.sweep}?group=p:model,t:stage`);
  await expectRuns(page, true, SWEEP + 6);
  const group = page.getByRole('rowheader', { name: 'resnet50' });
  await expect(group).toContainText('125');
  await group.getByRole('button', { name: 'Close' }).click();
  await expectRuns(page, true, SWEEP / 2 + 4);
  await group.getByRole('button', { name: 'Open' }).click();
  await expectRuns(page, true, SWEEP + 6);
});

test('a selection outlives sorting, filtering and what others do', async ({ flowdeck, page, person, signIn, visit }) => {
  const experiment = await person.experiment(`selected-${Date.now()}`);
  for (let index = 0; index < 5; index += 1) await person.run(experiment, { name: `run-${index}`, start: 1_700_000_000_000 + index, metrics: { loss: index } });
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expectRuns(page, true, 5);
  await page.getByRole('checkbox', { name: 'Select run-1' }).check();
  await page.getByRole('checkbox', { name: 'Select run-3' }).click({ modifiers: ['Shift'] });
  const selected = page.getByRole('row', { selected: true });
  await expect(selected).toHaveCount(3);
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expect(selected).toHaveCount(3);
  await ask(page, 'metrics.loss >= 3');
  await expect(selected).toHaveCount(1);
  await ask(page, '');
  await page.mouse.move(0, 0);
  await person.run(experiment, { name: 'another', metrics: { loss: 9 } });
  await expect(page.getByRole('rowheader', { name: 'another' })).toBeVisible({ timeout: 30_000 });
  await expect(selected).toHaveCount(3);
  for (const name of ['run-1', 'run-2', 'run-3']) await expect(page.getByRole('checkbox', { name: `Select ${name}` })).toBeChecked();
});
