// Runs that differ, and the page that shows them side by side.

import type { Page } from '@playwright/test';

import type { Rest } from './rest.mjs';
import { picture } from './seed.mjs';
import { fresh } from './test';

export const table = (page: Page) => page.getByRole('table', { name: 'Runs side by side' });
export const keys = (page: Page) => table(page).locator('th[scope=row]');
/** The names above the columns. */
export const names = (page: Page) => table(page).locator('thead .name');
export const row = (page: Page, key: string) => table(page).getByRole('row').filter({ has: page.getByRole('rowheader', { name: key, exact: true }) });
/** What the runs have at a key, from left to right. */
export const cells = (page: Page, key: string) => row(page, key).getByRole('cell');

/** Two runs of one experiment and one of another, and the address of their comparison. */
export async function compared(person: Rest) {
  const experiment = await person.experiment(`compared-${fresh()}`);
  const elsewhere = await person.experiment(`elsewhere-${fresh()}`);
  const start = Date.now() - 3_600_000;
  const first = await person.run(experiment, {
    name: 'first-try',
    start,
    seconds: 100,
    params: { lr: '0.1', optimizer: 'adam', seed: '7', prompt: `Begin. ${'word '.repeat(60)}End.` },
    metrics: { accuracy: 0.8, loss: 0.5, epochs: 10 },
    tags: { team: 'vision', 'mlflow.note.content': '# First\n\nIt **works**.' },
  });
  const second = await person.run(experiment, {
    name: 'second-try',
    start,
    seconds: 150,
    params: { lr: '0.2', optimizer: 'sgd', seed: '7' },
    metrics: { accuracy: 0.9, loss: 0.25, epochs: 10 },
    tags: { team: 'vision' },
  });
  const third = await person.run(elsewhere, { name: 'third-try', start, seconds: 100, status: 'FAILED', params: { lr: '0.1', seed: '7' }, metrics: { loss: Number.NaN } });
  return { experiment, elsewhere, first, second, third, path: `/experiments/${experiment}/compare?runs=${[first, second, third].join(',')}` };
}

/** Gives two runs files that differ. */
export async function withFiles(person: Rest, { experiment, first, second }: { experiment: string; first: string; second: string }) {
  const lines = Array.from({ length: 40 }, (_, at) => `line ${at + 1}`);
  const changed = lines.map((line, at) => (at === 19 ? 'line twenty' : line));
  const files: [string, string, string | Uint8Array][] = [
    [first, 'notes.txt', lines.join('\n')],
    [second, 'notes.txt', changed.join('\n')],
    [first, 'same.txt', 'the same\n'],
    [second, 'same.txt', 'the same\n'],
    [first, 'config/deep/model.json', '{"lr":0.1,"layers":[64,32]}'],
    [second, 'config/deep/model.json', '{"lr":0.2,"layers":[64,32]}'],
    [first, 'plots/curve.png', picture([255, 102, 0])],
    [second, 'plots/curve.png', picture([0, 102, 255])],
    [first, 'weights.bin', new Uint8Array(1200)],
    [second, 'weights.bin', new Uint8Array(1300)],
    [second, 'only-here.md', '# Only here\n'],
  ];
  for (const [run, path, body] of files) await person.artifact(experiment, run, path, body);
}
