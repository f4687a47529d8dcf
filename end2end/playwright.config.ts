// Flowdeck in a real Chromium: at the root and below a base path, each with a script and without.

import { defineConfig } from '@playwright/test';

import { launchOptions } from './lib/flowdeck.mjs';
import type { Options } from './lib/test';

const places = [
  { name: 'root', base: '/' },
  { name: 'below', base: '/services/mlflow' },
];

// EVERYTHING=1 also runs what has not yet been seen to pass on every machine: the other places and ways, and these tests.
const everything = process.env.EVERYTHING === '1';
const unsettled = [
  'the theme is chosen, kept',
  'opened by its own address, runs nothing',
  'a new experiment$',
  'deleting can be undone, and later restored',
  'what is refused is taken back visibly',
  'values that arrive are shown',
  'what went in and what came out',
  'NaN, infinity and a run that is still running',
  'pages of runs, there and back',
  'plain words look for names',
  'columns are chosen, and the address says which',
  'what an experiment is about',
  'the back button shows nothing private',
  'MLflow stops in mid-session',
];

export default defineConfig<object, Options>({
  testDir: '.',
  outputDir: '../target/end2end',
  globalSetup: './lib/global-setup.ts',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  // Two cores carry Chromium, Flowdeck and MLflow; another browser would only make all of them wait.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    viewport: { width: 1440, height: 900 },
    launchOptions,
    screenshot: 'only-on-failure',
    // Recording a trace takes longer than most tests: ask for it with --trace on.
    trace: 'off',
  },
  grepInvert: everything ? undefined : new RegExp(unsettled.join('|')),
  projects: [
    ...places.flatMap(({ name, base }) => {
      // What does not depend on the base path is looked at once.
      const once = name === 'root' ? [] : ['**/crowded.spec.ts', '**/accessibility.hydrate.spec.ts', '**/screens.spec.ts'];
      return [
        { name, use: { base }, testIgnore: ['**/hammer.spec.ts', ...once] },
        { name: `${name}-plain`, use: { base, javaScriptEnabled: false }, testIgnore: ['**/hammer.spec.ts', '**/*.hydrate.spec.ts', ...once] },
      ];
    }),
    { name: 'hammer', use: { base: '/' }, testMatch: '**/hammer.spec.ts' },
  ].filter(({ name }) => everything || name === 'root'),
});
