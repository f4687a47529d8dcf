// Artifacts: folders, previews, downloads, and hostile ones.

import { readFile } from 'node:fs/promises';

import type { Page } from '@playwright/test';

import { expect, test } from './lib/test';

test.beforeEach(async ({ flowdeck, signIn }) => signIn(flowdeck.data.reader));

const files = (page: Page) => page.getByRole('region', { name: 'Files' });

async function download(page: Page, start: () => Promise<void>) {
  const [started] = await Promise.all([page.waitForEvent('download'), start()]);
  return { name: started.suggestedFilename(), text: await readFile(await started.path(), 'utf8') };
}

test('artifacts lie in folders and can be downloaded', async ({ page, flowdeck, visit }) => {
  const { ids, runs } = flowdeck.data;
  await visit(`/experiments/${ids.details}/runs/${runs.details}`);
  await page.getByRole('navigation', { name: 'Run', exact: true }).getByRole('link', { name: 'Artifacts' }).click();
  await expect(page).toHaveURL(/tab=artifacts/);
  await expect(files(page).getByRole('rowheader')).toHaveText(['deep', 'hostile', 'images', 'config.json', 'notes.txt', 'report.md', 'table.csv']);
  const notes = await download(page, () => files(page).getByRole('link', { name: 'Download notes.txt' }).click());
  expect(notes).toEqual({ name: 'notes.txt', text: 'first line\nsecond line, מימין לשמאל\n' });

  for (const folder of ['deep', 'er', 'and', 'deeper']) await files(page).getByRole('rowheader').getByRole('link', { name: folder, exact: true }).click();
  await expect(page).toHaveURL(/path=deep%2Fer%2Fand%2Fdeeper/);
  const odd = await download(page, () => files(page).getByRole('link', { name: 'Download file with spaces & signs +1.txt' }).click());
  expect(odd.text).toBe('found\n');
  expect(odd.name).toContain('file with spaces & signs +1');
  await page.reload();
  await expect(files(page).getByRole('rowheader')).toHaveText(['file with spaces & signs +1.txt']);
  await files(page).getByRole('navigation', { name: 'Folders' }).getByRole('link', { name: 'Artifacts' }).click();
  await expect(files(page).getByRole('rowheader').first()).toHaveText('deep');
});

test('a picture is shown', async ({ page, flowdeck, visit }) => {
  const { ids, runs } = flowdeck.data;
  await visit(`/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=images%2Fdot.png`);
  const picture = page.getByRole('img', { name: 'dot.png' });
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(32);
});

test('text, JSON, tables and Markdown are shown, or at least offered', async ({ page, flowdeck, visit, hasScript }) => {
  const { ids, runs } = flowdeck.data;
  const look = async (path: string) => {
    await visit(`/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=${encodeURIComponent(path)}`);
    return page.getByRole('region', { name: `Preview of ${path}` });
  };
  if (!hasScript) {
    await expect(await look('notes.txt')).toContainText('needs JavaScript');
    const notes = await download(page, () => page.getByRole('link', { name: 'Download', exact: true }).click());
    expect(notes.text).toContain('second line');
    return;
  }
  await expect(await look('notes.txt')).toContainText('second line, מימין לשמאל');
  await expect(await look('config.json')).toContainText('"name": "resnet50"');
  const table = (await look('table.csv')).getByRole('table');
  await expect(table.getByRole('columnheader')).toHaveText(['epoch', 'loss', 'comment']);
  await expect(table.getByRole('cell', { name: 'with, comma' })).toBeVisible();
  await expect((await look('report.md')).getByRole('heading', { name: 'Report' })).toBeVisible();
});

const isQuiet = async (page: Page) => {
  for (const frame of page.frames()) {
    const attacked = await frame.evaluate(() => 'attacked' in globalThis || document.documentElement.dataset.attacked !== undefined || document.title.startsWith('attacked'));
    expect(attacked, `something ran in ${frame.url()}`).toBe(false);
  }
};

test('a hostile page is shown without any rights', async ({ page, guard, flowdeck, visit, hasScript }) => {
  test.skip(!hasScript, 'without a script there is no preview of HTML');
  // Chromium says so whenever the sandbox stops a script.
  guard.expectMessage(/Blocked script execution in 'about:srcdoc'/);
  guard.expectMessage(/\[policy\]|Content Security Policy|request failed: .*: csp$/);
  const { ids, runs } = flowdeck.data;
  // Its picture has the address of the page that it lies in.
  const asked: string[] = [];
  page.on('response', (response) => asked.push(new URL(response.url()).pathname));
  await visit(`/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=hostile%2Fpage.html`);
  const frame = page.frameLocator('iframe[title=Preview]');
  await expect(frame.getByRole('heading', { name: 'A report' })).toBeVisible();
  await isQuiet(page);
  expect(await page.locator('iframe[title=Preview]').getAttribute('sandbox')).toBe('');
  // Nobody can click their way out of the frame either.
  await frame.getByRole('link', { name: 'go' }).click();
  await isQuiet(page);
  expect(asked.filter((path) => path.endsWith('/runs/x')), 'it asked the server for its picture').toEqual([]);
});

test('a hostile drawing is a picture', async ({ page, flowdeck, visit }) => {
  const { ids, runs } = flowdeck.data;
  await visit(`/experiments/${ids.details}/runs/${runs.details}?tab=artifacts&path=hostile%2Fdrawing.svg`);
  await expect(page.getByRole('img', { name: 'drawing.svg' })).toBeVisible();
  await isQuiet(page);
});

for (const name of ['page.html', 'drawing.svg']) {
  test(`${name}, opened by its own address, runs nothing in our origin`, async ({ page, guard, context, flowdeck }) => {
    guard.expectMessage(/Blocked script execution|\[policy\]|Content Security Policy/);
    const { ids, runs } = flowdeck.data;
    const path = `hostile/${name}`;
    const addresses = [
      `/get-artifact?run_id=${runs.details}&path=${encodeURIComponent(path)}`,
      `/api/2.0/mlflow-artifacts/artifacts/${ids.details}/${runs.details}/artifacts/${path}`,
      `/ajax-api/2.0/mlflow-artifacts/artifacts/${ids.details}/${runs.details}/artifacts/${path}`,
    ];
    for (const address of addresses) {
      const answer = await context.request.get(flowdeck.url + address);
      expect(answer.status(), address).toBe(200);
      const headers = answer.headers();
      expect(headers['content-security-policy'], address).toMatch(/^sandbox(;|$)/);
      expect(headers['content-security-policy'], address).not.toContain('allow-scripts');
      expect(headers['x-content-type-options'], address).toBe('nosniff');
      // Chromium downloads it or shows it in a sandbox: either way nothing runs.
      await page.goto(flowdeck.url + address).catch((error: Error) => {
        if (!/Download is starting|ERR_ABORTED/.test(error.message)) throw error;
      });
      await isQuiet(page);
    }
    // As a document of its own that a page of ours frames.
    await page.goto(`${flowdeck.url}/login?why=out`);
    const answered = page.waitForResponse(flowdeck.url + addresses[1]);
    await page.evaluate((address) => {
      const frame = document.createElement('iframe');
      frame.src = address;
      document.body.append(frame);
    }, flowdeck.url + addresses[1]);
    await answered;
    expect(await page.evaluate(() => 'attacked' in window)).toBe(false);
  });
}
