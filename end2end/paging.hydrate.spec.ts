// Runs that do not come.

import { expectRuns, rows } from './lib/runs';
import { SWEEP } from './lib/seed.mjs';
import { expect, test } from './lib/test';

test('those that are here stay, what is missing is said, and the next try brings it', async ({ flowdeck, guard, hasScript, page, signIn, visit }) => {
  guard.expectStatus(500, /runs\/page/);
  await signIn(flowdeck.data.reader);
  const body = JSON.stringify({ error_code: 'INTERNAL_ERROR', message: 'MLflow failed' });
  // Nobody has looked at them before.
  await page.route('**/runs/copy*', (route) => route.fulfill({ status: 204 }));
  let asked = 0;
  await page.route('**/runs/page', async (route) => {
    asked += 1;
    await (asked === 2 ? route.fulfill({ status: 500, contentType: 'application/json', body }) : route.continue());
  });
  await visit(`/experiments/${flowdeck.data.ids.sweep}`);
  const status = page.locator('.statusbar');
  await expect(status).toContainText('100 runs are here; the others could not be loaded: MLflow failed');
  await expect(rows(page).first()).toContainText('trial-249');
  await status.getByRole('button', { name: 'Try again' }).click();
  await expect(status).toContainText(`All ${SWEEP} runs are here`);
  await expectRuns(page, hasScript, SWEEP);
});
