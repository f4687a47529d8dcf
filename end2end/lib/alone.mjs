// A Flowdeck with an MLflow of its own for one piece of work, and a browser; both go away with it, also on Ctrl-C.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { say, untilEnd } from './end.mjs';
import { Flowdeck, expectPlaces, launchOptions } from './flowdeck.mjs';

/**
 * Runs `work` and ends the process: with 0, or with 1 and what went wrong.
 * @param {(flowdeck: Flowdeck, browser: import('playwright-core').Browser) => Promise<unknown>} work
 */
export async function alone(work) {
  expectPlaces();
  const flowdeck = new Flowdeck(await mkdtemp(join(tmpdir(), 'flowdeck-alone-')), {});
  const whole = async () => {
    say('starting Flowdeck with an MLflow of its own (half a minute to a minute)');
    await flowdeck.run().catch(async (error) => {
      throw new Error(`${error}\n${(await flowdeck.log()).slice(-3000)}`);
    });
    // Its own handlers would end this process before the folder is removed.
    const browser = await chromium.launch({ ...launchOptions, handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false });
    try {
      await work(flowdeck, browser);
    } finally {
      await browser.close();
    }
  };
  await untilEnd(whole, () => flowdeck.stop());
}

/**
 * The cookies of somebody who signed in, for any number of browser contexts.
 * @param {import('playwright-core').Browser} browser @param {string} url Flowdeck's @param {{ name: string, password: string }} who
 */
export async function signedIn(browser, url, { name, password }) {
  const context = await browser.newContext();
  try {
    const form = { name, password, next: '/experiments' };
    const answer = await context.request.post(`${url}/login`, { form, headers: { origin: new URL(url).origin }, maxRedirects: 0 });
    if (answer.status() !== 303) throw new Error(`signing in answered ${answer.status()}: ${(await answer.text()).slice(0, 300)}`);
    return await context.storageState();
  } finally {
    await context.close();
  }
}
