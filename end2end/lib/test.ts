// What every test starts from: a Flowdeck with data, people, a browser that tells of every error.

import { randomBytes } from 'node:crypto';

import { test as playwright, type BrowserContext, type Page } from '@playwright/test';

import { Guard, awake } from './guard';
import { Rest } from './rest.mjs';
import { person as makePerson, type seed } from './seed.mjs';

export { expect } from '@playwright/test';

export type Options = {
  /** The base path. */
  base: string;
};

export type Person = { name: string; password: string };

type Data = Awaited<ReturnType<typeof seed>>;

/** A Flowdeck that tests share. */
export type Shared<D = Data> = { origin: string; base: string; url: string; admin: Person; data: D };

type Fixtures = {
  hasScript: boolean;
  guard: Guard;
  /** A user of the test's own. Their experiments go with them. */
  person: Rest;
  /** Signs the browser in, as the form does. */
  signIn: (who: Person, context?: BrowserContext) => Promise<void>;
  /** Goes to a path below the base and waits until the page listens. */
  visit: (path: string, page?: Page) => Promise<Page>;
  /** Another browser, watched like the first. */
  another: () => Promise<BrowserContext>;
};

export async function hub<D = Data>(kind: string, base: string): Promise<Shared<D>> {
  const response = await fetch(`${process.env.HUB}/?${new URLSearchParams({ kind, base })}`);
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as Shared<D>;
}

export const test = playwright.extend<Fixtures, Options & { flowdeck: Shared; rest: Rest }>({
  base: ['/', { option: true, scope: 'worker' }],

  flowdeck: [async ({ base }, use) => use(await hub('seeded', base)), { scope: 'worker', timeout: 300_000 }],

  /** Flowdeck's REST as its administrator. */
  rest: [async ({ flowdeck }, use) => use(new Rest(flowdeck.url, flowdeck.admin.name, flowdeck.admin.password)), { scope: 'worker' }],

  baseURL: async ({ flowdeck }, use) => use(`${flowdeck.url}/`),

  hasScript: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),

  guard: [
    async ({ context, hasScript }, use) => {
      const guard = new Guard();
      await guard.watch(context, hasScript);
      await use(guard);
      if (guard.problems.length > 0) throw new Error(`the browser reported:\n${guard.problems.join('\n')}`);
    },
    { auto: true },
  ],

  another: async ({ browser, hasScript, baseURL, guard }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext({ baseURL, javaScriptEnabled: hasScript, viewport: { width: 1440, height: 900 } });
      contexts.push(context);
      await guard.watch(context, hasScript);
      return context;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },

  person: async ({ rest, context }, use) => {
    const person = await makePerson(rest, `person-${fresh()}`);
    await use(person);
    // A page that is open would find its session ended, and go to the sign-in while its browser is being closed.
    await Promise.all(context.pages().map((page) => page.goto('about:blank').catch(() => undefined)));
    for (const id of person.made) await rest.post('experiments/delete', { experiment_id: id }).catch(() => undefined);
    await rest.call('DELETE', '/api/2.0/mlflow/users/delete', { username: person.name });
  },

  signIn: async ({ context, baseURL }, use) => {
    await use(async ({ name, password }, into = context) => {
      const { origin } = new URL(baseURL ?? '');
      const answer = await into.request.post(`${baseURL}login`, { form: { name, password, next: '/experiments' }, headers: { origin }, maxRedirects: 0 });
      if (answer.status() !== 303) throw new Error(`signing in answered ${answer.status()}: ${await answer.text()}`);
    });
  },

  visit: async ({ page, hasScript, baseURL }, use) => {
    await use(async (path, on = page) => {
      await on.goto(baseURL + path.replace(/^\//, ''));
      await awake(on, hasScript);
      return on;
    });
  },
});

/** A few letters that no other test has. */
export function fresh() {
  return randomBytes(5).toString('hex');
}
