// The audit: found, opened, followed live and exported, and the history of an experiment.

import { readFile } from 'node:fs/promises';

import { expect, fresh, test } from './lib/test';

const calls = 'Calls, newest first';

test('calls are found by filters in the address, and opened to all their facts', async ({ page, person, signIn, visit, flowdeck }) => {
  const id = await person.experiment(`audited-${fresh()}`);
  await person.call('GET', '/api/2.0/mlflow/experiments/get?experiment_id=987654321').catch(() => undefined);
  await signIn(flowdeck.admin);
  await visit('/admin/audit');
  await page.getByLabel('User', { exact: true }).fill(person.name);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`user=${person.name}`));
  const table = page.getByRole('table', { name: calls });
  const made = table.getByRole('row').filter({ hasText: 'experiments/create' });
  await expect(made).toHaveCount(1);
  await page.getByLabel('Status', { exact: true }).selectOption('4xx');
  await expect(made).toHaveCount(0);
  await expect(table.getByRole('row').filter({ hasText: 'experiments/get' })).toHaveCount(1);
  await page.goBack();
  await expect(page.getByLabel('Status', { exact: true })).toHaveValue('');
  await made.getByRole('link').first().click();
  const facts = table.getByRole('row').filter({ hasText: 'Request id' });
  await expect(facts).toContainText('password');
  await expect(facts).toContainText('127.0.0.1');
  const copied = page.url();
  await facts.getByRole('link', { name: `experiment ${id}` }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('audited-');
  // The address says everything.
  await page.goto(copied);
  await expect(facts).toContainText('127.0.0.1');
});

test('new calls come while one looks, and wait until they are wanted', async ({ page, person, signIn, visit, flowdeck }) => {
  await signIn(flowdeck.admin);
  await visit(`/admin/audit?user=${person.name}&live=1`);
  await expect(page.getByRole('switch', { name: 'Live' })).toHaveAttribute('aria-checked', 'true');
  await person.experiment(`live-${fresh()}`);
  await person.experiment(`live-${fresh()}`);
  const created = page.getByRole('row').filter({ hasText: 'experiments/create' });
  await expect(page.getByRole('button', { name: /^[2-9] new$/ })).toBeVisible();
  await expect(created).toHaveCount(0);
  await page.getByRole('button', { name: / new$/ }).click();
  await expect(created).toHaveCount(2);
});

test('what is found is exported', async ({ page, person, signIn, visit, flowdeck }) => {
  const name = `exported-${fresh()}`;
  await person.experiment(name);
  await person.experiment(`${name}-too`);
  await signIn(flowdeck.admin);
  await visit(`/admin/audit?user=${person.name}`);
  for (const [format, first] of [
    ['CSV', /experiments\/create/],
    ['JSON Lines', /^\{"/],
  ] as const) {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    await page.getByRole('group', { name: 'Export' }).getByRole('link', { name: format, exact: true }).click();
    const text = await readFile(await (await download).path(), 'utf8');
    expect(text).toMatch(first);
    expect(text).toContain('experiments/create');
    expect(text).toContain(person.name);
    // The marks of its progress are not in the file.
    expect(text).not.toContain('\u001e');
    const rows = text.trimEnd().split('\n').length - (format === 'CSV' ? 1 : 0);
    await expect(page.getByText(`Exported ${rows} rows`).first()).toBeVisible();
  }
});

test('an export says how far it is of how much, and can be stopped', async ({ page, signIn, visit, flowdeck }) => {
  // The server's answer, piece by piece as the test says; what is read of it is the page's own doing.
  await page.addInitScript(() => {
    const real = window.fetch;
    window.fetch = (input, init) => {
      if (!String(input).includes('/audit/export?')) return real(input, init);
      const stream = new ReadableStream<Uint8Array>({
        start(controller) {
          Object.assign(window, { piece: (text: string) => controller.enqueue(new TextEncoder().encode(text)), stopped: false });
        },
        cancel: () => void Object.assign(window, { stopped: true }),
      });
      return Promise.resolve(new Response(stream));
    };
  });
  const piece = (text: string) => page.evaluate((text) => (window as unknown as { piece: (text: string) => void }).piece(text), text);
  await signIn(flowdeck.admin);
  await visit('/admin/audit?q=rare');
  await page.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('group', { name: 'Export' }).getByRole('link', { name: 'CSV' }).click();
  const bar = page.getByRole('progressbar', { name: 'Export' });
  await expect(bar).toBeVisible();
  await piece('id,at\r\n\u001e0 2500000 10000000\n');
  await expect(page.getByText('0 rows in 2,500,000 of 10,000,000 calls')).toBeVisible();
  await expect(bar).toHaveJSProperty('position', 0.25);
  await piece('7,now\r\n6,then\r\n\u001e2 5000');
  await piece('000 10000000\n');
  await expect(page.getByText('2 rows in 5,000,000 of 10,000,000 calls')).toBeVisible();
  await page.getByRole('button', { name: 'Stop' }).click();
  await piece('5,before\r\n');
  await expect(page.getByText('The export was stopped; nothing was saved')).toBeVisible();
  await expect(bar).toHaveCount(0);
  expect(await page.evaluate(() => (window as unknown as { stopped: boolean }).stopped)).toBe(true);
});

test('everybody sees their own calls, and what was changed about what they may read', async ({ page, person, signIn, visit, guard }) => {
  guard.expectStatus(403, /flowdeck\/v1\/audit$/);
  const id = await person.experiment(`history-${fresh()}`);
  const run = await person.run(id, { name: 'changed', metrics: { loss: 1 } });
  for (const value of ['1', '2', '3']) await person.post('runs/set-tag', { run_id: run, key: 'stage', value });
  await signIn(person);
  await visit('/admin/audit');
  await expect(page.getByText('You see your own calls.')).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'runs/set-tag' })).toHaveCount(3);
  await visit(`/experiments/${id}/runs/${run}`);
  await page.getByRole('navigation', { name: 'Run' }).getByRole('link', { name: 'History' }).click();
  const history = page.getByRole('table', { name: 'Changes, the last one first' });
  await expect(history.getByRole('row', { name: /set a tag 3 times/ })).toContainText(person.name);
  await visit(`/experiments/${id}?tab=history`);
  await expect(history.getByRole('row', { name: /created the experiment/ })).toContainText(person.name);
});
