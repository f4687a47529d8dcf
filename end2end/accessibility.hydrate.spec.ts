// What axe finds on each page, in both themes.

import AxeBuilder from '@axe-core/playwright';

import { compared, withFiles } from './lib/compared';
import { awake } from './lib/guard';
import { expect, fresh, test } from './lib/test';

type Data = { ids: Record<string, string>; runs: Record<string, string> };

const pages: [string, (data: Data) => string][] = [
  ['experiments', () => '/experiments'],
  ['a folder of experiments', () => '/experiments?folder=vision'],
  ['nothing found', () => '/experiments?q=there+is+no+such+thing'],
  ['the runs', ({ ids }) => `/experiments/${ids.sweep}`],
  ['the runs of all experiments', () => '/experiments/all?group=f:experiment'],
  ['the runs with columns', ({ ids }) => `/experiments/${ids.sweep}?panel=columns`],
  ['odd runs', ({ ids }) => `/experiments/${ids.odd}`],
  ['no runs', ({ ids }) => `/experiments/${ids.empty}`],
  ['about an experiment', ({ ids }) => `/experiments/${ids.baseline}?tab=about`],
  ['a run', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}`],
  ['artifacts', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=table.csv`],
  ['runs side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details},${runs.infinite},${runs.failed}&baseline=${runs.nan}`],
  ['no runs side by side', ({ ids }) => `/experiments/${ids.odd}/compare`],
  ['notes side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details}&tab=notes`],
  ['files side by side', ({ ids, runs }) => `/experiments/${ids.odd}/compare?runs=${runs.nan},${runs.details}&tab=artifacts&path=report.md`],
  ['the account', () => '/account'],
  ['API keys', () => '/account/keys'],
  ['one\'s own history', () => '/account?tab=history&all=1'],
  ['one\'s own access', () => '/account/access'],
  ['why one may see something', ({ ids }) => `/admin/why?kind=experiment&id=${ids.secret}`],
  ['oneself as a user', () => '/admin/users/reader'],
  ['one\'s own calls', () => '/admin/audit'],
  ['the history of a run', ({ ids, runs }) => `/experiments/${ids.details}/runs/${runs.details}?tab=history`],
  ['a page that is not there', () => '/no/such/page'],
  ['what one may not see', ({ ids }) => `/experiments/${ids.secret}`],
  ['a page for owners', () => '/admin/users?q=r'],
];

for (const theme of ['light', 'dark'] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test('axe finds nothing serious on the sign-in page', async ({ page, visit }) => {
      await visit('/login?why=ended');
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });

    test('axe finds nothing serious on the reference of the API', async ({ page, flowdeck, signIn }) => {
      await signIn(flowdeck.data.reader);
      await page.goto('api/flowdeck/v1/docs');
      await page.getByText('/api/flowdeck/v1/changes/preview').click();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });

    for (const [name, path] of pages) {
      test(`axe finds nothing serious on ${name}`, async ({ page, guard, flowdeck, signIn, visit }) => {
        guard.expectStatus(404, /no\/such/);
        guard.expectStatus(403, new RegExp(`experiments/${flowdeck.data.ids.secret}$|/admin/users`));
        await signIn(flowdeck.data.reader);
        await visit(path(flowdeck.data));
        await expect(page.locator('.skeleton')).toHaveCount(0);
        expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      });
    }

    for (const path of ['/admin', '/admin/users?q=r', '/admin/roles', '/admin/groups', '/admin/permissions', '/admin/rules', '/admin/changes', '/admin/access?kind=experiment&id=1', '/admin/settings', '/admin/import', '/admin/keys', '/admin/keys?user=reader', '/admin/users/reader', '/admin/users/reader?tab=history&all=1']) {
      test(`axe finds nothing serious on what administrators look at: ${path}`, async ({ page, flowdeck, signIn, visit }) => {
        await signIn(flowdeck.admin);
        await visit(path);
        await expect(page.locator('.skeleton')).toHaveCount(0);
        expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      });
    }

    test('axe finds nothing serious on what administrators look at: a call', async ({ page, flowdeck, signIn, visit }) => {
      await signIn(flowdeck.admin);
      // A hundred rows would tell no more than those of sign-ins, and take a minute.
      await visit('/admin/audit?route=%2Flogin');
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.getByRole('table').getByRole('link').first().click();
      await expect(page.getByText('Request id')).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });

    test('axe finds nothing serious while a user and a role are made', async ({ page, person, flowdeck, rest, signIn, visit, guard }) => {
      guard.expectStatus(404, /roles\/looked-/);
      const [name, role] = [`looked-${fresh()}`, `looked-${fresh()}`];
      await signIn(flowdeck.admin);
      await visit('/admin/users');
      await page.getByRole('button', { name: 'New user' }).click();
      await page.getByRole('button', { name: 'Make the user' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.getByLabel('Name', { exact: true }).fill(name);
      await page.getByRole('button', { name: 'Make the user' }).click();
      await expect(page.getByLabel('The link', { exact: true })).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await rest.call('DELETE', `/api/flowdeck/v1/users/${name}`);

      const text = { description: 'Looked at' };
      const edits = [
        { edit: 'role', role, was: null, will: text },
        { edit: 'grant', to: { role }, on: { kind: 'experiment', id: '*' }, was: null, will: 'DENY' },
        { edit: 'member', role, user: person.name, was: false, will: true },
      ];
      await rest.call('POST', '/api/flowdeck/v1/changes', { edits });
      await visit(`/admin/roles/${role}`);
      await expect(page.getByRole('region', { name: 'Members' })).toContainText(person.name);
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.getByRole('button', { name: 'Delete…' }).click();
      await expect(page.getByRole('button', { name: 'Apply' })).toBeEnabled();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.getByRole('button', { name: 'Apply' }).click();
      await expect(page.getByText(`Not found: the role ${role}`)).toBeVisible();
    });

    test('axe finds nothing serious while a change of permissions is looked at', async ({ page, flowdeck, signIn, visit }) => {
      await signIn(flowdeck.admin);
      await visit(`/experiments/${flowdeck.data.ids.baseline}?tab=access`);
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      const form = page.getByRole('form', { name: 'Grant access' });
      await form.getByLabel('Name').fill('reader');
      await form.getByLabel('Level').selectOption('EDIT');
      await form.getByRole('button', { name: 'Review…' }).click();
      await expect(page.getByRole('dialog').getByRole('button', { name: 'Apply' })).toBeEnabled();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });

    test('axe finds nothing serious while a key is made', async ({ page, person, signIn, visit }) => {
      await signIn(person);
      await visit('/account/keys');
      await page.getByRole('button', { name: 'New key' }).first().click();
      await page.getByText('More limits').click();
      await page.getByRole('button', { name: 'Make the key' }).click();
      await expect(page.getByRole('alert')).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.getByLabel('Name', { exact: true }).fill('looked at');
      await page.getByRole('button', { name: 'Make the key' }).click();
      await expect(page.getByRole('heading', { name: /is ready/ })).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });

    for (const file of ['notes.txt', 'plots/curve.png']) {
      test(`axe finds nothing serious on ${file} of two runs`, async ({ page, person, signIn, visit }) => {
        const runs = await compared(person);
        await withFiles(person, runs);
        await signIn(person);
        await visit(`${runs.path}&tab=artifacts&path=${encodeURIComponent(file)}`);
        await expect(page.getByText('1 line removed').or(page.getByRole('slider'))).toBeVisible();
        expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      });
    }

    test('axe finds nothing serious in menus and dialogs', async ({ page, flowdeck, signIn, visit }) => {
      await signIn(flowdeck.data.reader);
      await visit('/experiments');
      await page.getByRole('button', { name: /^Account of/ }).click();
      await expect(page.getByRole('group', { name: 'Account' })).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'New experiment' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
      expect(await serious(new AxeBuilder({ page }))).toEqual([]);
    });
  });
}

test('the theme is chosen, kept, and there before the first paint', async ({ page, flowdeck, signIn, visit, hasScript }) => {
  await signIn(flowdeck.data.reader);
  await visit('/experiments');
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('group', { name: 'Theme' }).getByRole('button', { name: 'Dark' }).click();
  await expect(page.getByRole('button', { name: 'Dark' })).toHaveAttribute('aria-pressed', 'true');
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload({ waitUntil: 'commit' });
  await page.locator('body').waitFor();
  expect(await ground()).toBe(dark);
  await awake(page, hasScript);
});

/** What hinders people seriously, in a form that can be read in a report. */
async function serious(axe: AxeBuilder) {
  const { violations } = await axe.analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ target, failureSummary }) => `${target} ${failureSummary?.replaceAll('\n', ' ')}`) }));
}
