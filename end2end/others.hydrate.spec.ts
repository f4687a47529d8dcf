// Many runs, which another client creates, renames and deletes while they come and while one scrolls.

import { lines, status } from './lib/lines';
import { together } from './lib/rest.mjs';
import { expect, fresh, test } from './lib/test';

const RUNS = 220;
const START = 1_700_000_000_000;

const name = (index: number) => `run-${String(index).padStart(3, '0')}`;

test('no run is there twice, none is missing, and those that are selected stay so', async ({ person, signIn, visit, page }) => {
  // What the oldest runs are is looked at again half a minute after the page begins to hear.
  test.setTimeout(240_000);
  const experiment = await person.experiment(`others-${fresh()}`);
  const ids: string[] = [];
  // Across the pages that they come in, four runs belong to each other.
  const parents = new Map([[70, 0], [140, 70], [210, 140]]);
  const make = async (index: number) => {
    const parent = parents.get(index);
    const tags = parent === undefined ? {} : { 'mlflow.parentRunId': ids[parent] ?? '' };
    ids[index] = await person.run(experiment, { name: name(index), start: START + index * 1000, tags });
  };
  for (const index of [0, ...parents.keys()]) await make(index);
  const others = Array.from({ length: RUNS }, (_, index) => index).filter((index) => ids[index] === undefined);
  await together(others, 6, make);
  const change = (index: number, how: string, more = {}) => person.post(`runs/${how}`, { run_id: ids[index], ...more });

  await signIn(person);
  // MLflow's pages begin at a number of runs: what was on the first is now on the second, or on none.
  let asked = 0;
  await page.route('**/runs/page', async (route) => {
    asked += 1;
    if (asked === 2) {
      for (const index of [RUNS, RUNS + 1, RUNS + 2]) await make(index);
      for (const index of [215, 216, 217, 218, 219, 60, 61]) await change(index, 'delete');
      await change(100, 'update', { run_name: 'renamed-100' });
    }
    await route.continue();
  });
  // Nobody hears yet what one of the oldest runs is named now.
  let hear = () => {};
  const hears = new Promise<void>((resolve) => (hear = resolve));
  await page.route('**/live', async (route) => {
    await hears;
    await route.continue();
  });
  await visit(`/experiments/${experiment}`);
  await expect(status(page)).toContainText(`All ${RUNS + 3 - 7} runs are here`, { timeout: 60_000 });
  await page.unroute('**/runs/page');
  await change(10, 'update', { run_name: 'renamed-010' });
  hear();
  const there = async () => (await lines(page)).map((line) => line.name);
  let wanted = Array.from({ length: RUNS + 3 }, (_, index) => index).filter((index) => ![215, 216, 217, 218, 219, 60, 61].includes(index));
  const renamed = new Map([[10, 'renamed-010'], [100, 'renamed-100']]);
  const names = () => wanted.map((index) => renamed.get(index) ?? name(index)).sort();
  await expect.poll(async () => (await there()).sort(), { timeout: 60_000 }).toEqual(names());
  // The oldest run leads a family of four.
  const family = (await lines(page)).filter((line) => [0, 70, 140, 210].map(name).includes(line.name));
  expect(family.map((line) => [line.name, line.depth])).toEqual([[name(0), 0], [name(70), 1], [name(140), 2], [name(210), 3]]);

  const scroll = page.locator('.grid-scroll');
  const choose = async (index: number) => {
    await lines(page);
    const box = page.getByRole('checkbox', { name: `Select ${name(index)}` });
    await expect(async () => {
      await scroll.evaluate((element, at) => element.scrollTo(0, at), await place(index));
      await box.check({ timeout: 1000 });
    }).toPass();
  };
  const place = async (index: number) => (await there()).indexOf(name(index)) * 28 - 100;
  for (const index of [222, 150, 20]) await choose(index);
  await page.mouse.move(0, 0);
  await scroll.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
  await make(RUNS + 3);
  await change(149, 'delete');
  await change(151, 'delete');
  await change(222, 'delete');
  await change(150, 'update', { run_name: 'renamed-150' });
  await scroll.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  wanted = [...wanted.filter((index) => ![149, 151, 222].includes(index)), RUNS + 3];
  renamed.set(150, 'renamed-150');
  await expect.poll(async () => (await there()).sort(), { timeout: 60_000 }).toEqual(names());
  const selected = (await lines(page)).filter((line) => line.selected).map((line) => line.name);
  expect(selected.sort()).toEqual(['renamed-150', name(20)].sort());
});
