// Every page on wide and narrow screens.

import { expect, test } from './lib/test';

type Data = { ids: Record<string, string>; runs: Record<string, string> };

const pages: [string, (data: Data) => string][] = [
  ['experiments', () => '/experiments?list=all'],
  ['folders', () => '/experiments?folder=vision'],
  ['an experiment with a long name', ({ ids }) => `/experiments/${ids.long}`],
  ['the runs', ({ ids }) => `/experiments/${ids.sweep}`],
  ['a refused filter', ({ ids }) => `/experiments/${ids.sweep}?q=${encodeURIComponent("metrics.accuracy >> 'a rather long condition' and nothing")}`],
  ['the runs of all experiments', () => '/experiments/all'],
  ['odd runs', ({ ids }) => `/experiments/${ids.odd}`],
  ['no runs', ({ ids }) => `/experiments/${ids.empty}`],
  ['about an experiment', ({ ids }) => `/experiments/${ids.baseline}?tab=about`],
  ['a run', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}`],
  ['artifacts', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=table.csv`],
  ['a picture', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=images%2Fdot.png`],
  ['runs side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details},${runs.infinite},${runs.failed}&baseline=${runs.nan}`],
  ['notes side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details}&tab=notes`],
  ['files side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details}&tab=artifacts&path=images%2Fdot.png`],
  ['the account', () => '/account'],
  ['API keys', () => '/account/keys'],
  ['one\'s own history', () => '/account?tab=history&all=1'],
  ['one\'s own access', () => '/account/access'],
  ['why one may see something', ({ ids }) => `/admin/why?kind=experiment&id=${ids.secret}`],
  ['access that one may not change', ({ ids }) => `/experiments/${ids.baseline}?tab=access`],
  ['oneself as a user', () => '/admin/users/reader'],
  ['the history of a user', () => '/admin/users/reader?tab=history&all=1'],
  ['one\'s own calls', () => '/admin/audit'],
  ['the history of an experiment', ({ ids }) => `/experiments/${ids.details}?tab=history`],
  ['a page that is not there', () => '/no/such/page'],
];

/** What administrators look at. */
const owners = ['/admin', '/admin/users', '/admin/users/reader', '/admin/users/admin', '/admin/roles', '/admin/groups', '/admin/import', '/admin/settings'];

const sizes = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
];

for (const viewport of sizes) {
  test.describe(`${viewport.width} px`, () => {
    test.use({ viewport });

    test('sign-in fits', async ({ page, visit }) => {
      await visit('/login');
      expect(await overflow(page)).toEqual([]);
    });

    test('the pages of administrators fit', async ({ page, flowdeck, signIn, visit }) => {
      await signIn(flowdeck.admin);
      for (const path of owners) {
        await visit(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        expect(await overflow(page), path).toEqual([]);
      }
    });

    test('where one is can be read in the bar', async ({ page, flowdeck, signIn, visit }) => {
      const { ids, runs } = flowdeck.data;
      await signIn(flowdeck.data.reader);
      const [bar, here] = [page.getByRole('navigation', { name: 'Where you are' }), page.locator('.crumbs [aria-current=page]')];
      await visit(`/experiments/${ids.details}/runs/${runs.details}`);
      await expect(here).toHaveText('rich-run');
      expect(await here.evaluate((element) => element.scrollWidth <= element.clientWidth), 'whole').toBe(true);
      await expect(bar.getByRole('link', { name: 'everything-a-run-can-have' })).toBeVisible();
      await visit(`/experiments/${ids.long}`);
      await expect.poll(async () => (await here.boundingBox())?.width ?? 0).toBeGreaterThan(150);
      expect(await overflow(page)).toEqual([]);
    });

    test('the reference of the API fits, and leads back', async ({ page, flowdeck, signIn }) => {
      await signIn(flowdeck.data.reader);
      await page.goto('api/flowdeck/v1/docs');
      const call = page.getByText('/api/flowdeck/v1/changes/preview');
      await call.click();
      await expect(page.getByRole('main')).toContainText('what the edits would do; nothing is changed');
      expect(await overflow(page)).toEqual([]);
      await page.getByRole('link', { name: /^Flowdeck/ }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Experiments' })).toBeVisible();
    });

    for (const [name, path] of pages) {
      test(`${name} fits`, async ({ page, guard, flowdeck, signIn, visit }) => {
        guard.expectStatus(404, /no\/such/);
        guard.expectStatus(400);
        await signIn(flowdeck.data.reader);
        await visit(path(flowdeck.data));
        await expect(page.getByRole('main')).toBeVisible();
        expect(await overflow(page)).toEqual([]);
      });
    }

    test('what owners look at fits', async ({ page, flowdeck, signIn, visit }) => {
      await signIn(flowdeck.admin);
      for (const path of ['/admin/permissions', '/admin/rules', '/admin/changes', '/admin/access?kind=experiment&id=1']) {
        await visit(path);
        await expect(page.getByRole('main')).toBeVisible();
        expect(await overflow(page), path).toEqual([]);
      }
    });
  });
}

/** What makes the page wider than the screen: nothing, or the elements that stand out. */
async function overflow(page: import('@playwright/test').Page) {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const wide = [...document.querySelectorAll('body *')].filter((element) => element.getBoundingClientRect().right > clientWidth + 1);
    return [`${scrollWidth} > ${clientWidth}`, ...wide.slice(0, 12).map((element) => `${element.tagName.toLowerCase()}.${element.className} ${Math.round(element.getBoundingClientRect().right)}`)];
  });
}
