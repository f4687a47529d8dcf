// Flowdeck in a real Chromium: at the root and below a base path, each with a script and without.

import { defineConfig } from '@playwright/test';

import { launchOptions } from './lib/flowdeck.mjs';
import type { Options } from './lib/test';

const places = [
  { name: 'root', base: '/' },
  { name: 'below', base: '/services/mlflow' },
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
  projects: [
    ...places.flatMap(({ name, base }) => {
      // What does not depend on the base path is looked at once.
      const once = name === 'root' ? [] : ['**/crowded.spec.ts', '**/accessibility.hydrate.spec.ts', '**/screens.spec.ts', '**/size.spec.ts'];
      return [
        { name, use: { base }, testIgnore: ['**/hammer.spec.ts', ...once] },
        { name: `${name}-plain`, use: { base, javaScriptEnabled: false }, testIgnore: ['**/hammer.spec.ts', '**/*.hydrate.spec.ts', ...once] },
      ];
    }),
    { name: 'hammer', use: { base: '/' }, testMatch: '**/hammer.spec.ts' },
  ],
});
