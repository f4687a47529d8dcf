// An experiment that somebody has looked at before.

import { expectRuns, filter, rows } from './lib/runs';
import { status } from './lib/lines';
import { together } from './lib/rest.mjs';
import { expect, fresh, test } from './lib/test';

const RUNS = 120;
const START = 1_700_000_000_000;

const name = (index: number) => `run-${String(index).padStart(3, '0')}`;

test('all of its runs are there at once, and then what has become of them', async ({ person, signIn, visit, page }) => {
  const experiment = await person.experiment(`again-${fresh()}`);
  const ids: string[] = [];
  const make = async (index: number) => {
    ids[index] = await person.run(experiment, { name: name(index), start: START + index * 1000, metrics: { loss: (index * 7) % RUNS } });
  };
  await together(Array.from({ length: RUNS }, (_, index) => index), 6, make);
  await signIn(person);
  await visit(`/experiments/${experiment}`);
  await expect(status(page)).toContainText(`All ${RUNS} runs are here`);
  await visit('/experiments');

  // Among the newest hundred, which come first, and among the others.
  await make(RUNS);
  await person.post('runs/delete', { run_id: ids[110] });
  await person.post('runs/update', { run_id: ids[3], run_name: 'renamed' });
  await person.post('runs/delete', { run_id: ids[5] });
  let go = () => {};
  const gone = new Promise<void>((resolve) => (go = resolve));
  let pages = 0;
  await page.route('**/runs/page', async (route) => {
    pages += 1;
    if (pages > 1) await gone;
    await route.continue();
  });
  await visit(`/experiments/${experiment}`);
  await expect(status(page)).toContainText(`All ${RUNS} runs, as seen just now; looking for changes`);
  await expectRuns(page, true, RUNS);
  await expect(rows(page).first()).toContainText(name(RUNS));
  await page.getByRole('columnheader', { name: 'loss' }).getByRole('link').click();
  await expect(rows(page).first()).toContainText(/^run-/);
  await filter(page).fill("name in ('run-003', 'run-005', 'run-110', 'renamed')");
  await expect(rows(page)).toHaveText([/run-003/, /run-005/].reverse());

  go();
  await expect(status(page)).toContainText(`All ${RUNS - 1} runs are here`);
  await expect(rows(page)).toHaveText([/renamed/]);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});
