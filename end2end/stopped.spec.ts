// MLflow stops while somebody works.

import { Flowdeck } from './lib/flowdeck.mjs';
import { awake } from './lib/guard';
import { person as makePerson } from './lib/seed.mjs';
import { expect, test } from './lib/test';

// One Flowdeck for each of these: what they stop would be missed by others.
test.describe.configure({ timeout: 240_000 });

test('MLflow stops in mid-session, and comes back', async ({ base, browser, guard, hasScript }) => {
  const flowdeck = await Flowdeck.start({ base });
  try {
    const admin = await flowdeck.admin();
    const person = await makePerson(admin, 'person');
    const experiment = await person.experiment('kept-through-the-outage');
    await person.run(experiment, { name: 'the-run', metrics: { loss: 1 } });

    const context = await browser.newContext({ javaScriptEnabled: hasScript, baseURL: `${flowdeck.url}/` });
    guard.expectOutage();
    await guard.watch(context, hasScript);
    const page = await context.newPage();
    await page.goto(`${flowdeck.url}/login`);
    await page.getByLabel('User name').fill(person.name);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('link', { name: 'kept-through-the-outage' })).toBeVisible();

    await flowdeck.killMlflow();
    const answer = await page.goto(`${flowdeck.url}/experiments/${experiment}`);
    expect([502, 503, 504]).toContain(answer?.status());
    expect((await answer?.text())?.trimEnd().endsWith('</html>')).toBe(true);
    await expect(page.getByRole('heading', { name: /MLflow does not answer/ })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Try again' })).toBeVisible();
    // Programs are told in MLflow's words.
    const api = await context.request.get(`${flowdeck.url}/api/2.0/mlflow/experiments/get?experiment_id=${experiment}`);
    expect([502, 503, 504]).toContain(api.status());
    expect(await api.json()).toMatchObject({ error_code: 'TEMPORARILY_UNAVAILABLE', message: expect.any(String) });
    expect(api.headers()['request-id']).toBeTruthy();
    expect((await context.request.get(`${flowdeck.url}/health/ready`)).status()).toBe(503);
    expect((await context.request.get(`${flowdeck.url}/health`)).status()).toBe(200);
    if (hasScript) {
      const banner = page.getByRole('alert').filter({ hasText: 'MLflow does not answer.' });
      await expect(banner.getByRole('button', { name: /Try again now|Asking/ })).toBeVisible();
    }

    // Flowdeck starts it again by itself.
    await flowdeck.ready();
    if (hasScript) {
      const again = page.getByRole('button', { name: 'Try again now' });
      await again.or(page.getByRole('link', { name: 'the-run' })).first().waitFor();
      if (await again.isVisible()) await again.click();
      await expect(page.getByRole('alert')).toHaveCount(0);
    } else {
      await page.getByRole('link', { name: 'Try again' }).click();
    }
    await expect(page.getByRole('link', { name: 'the-run' })).toBeVisible();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('kept-through-the-outage');
    await context.close();
  } finally {
    await flowdeck.stop();
  }
});

test('signing in while MLflow is away says so, and a session outlives a restart', async ({ base, browser, guard, hasScript }) => {
  const flowdeck = await Flowdeck.start({ base });
  try {
    const { name, password } = await flowdeck.admin();
    const context = await browser.newContext({ javaScriptEnabled: hasScript });
    guard.expectOutage();
    await guard.watch(context, hasScript);
    const page = await context.newPage();
    const signIn = async () => {
      await page.goto(`${flowdeck.url}/login`);
      await page.getByLabel('User name').fill(name);
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };
    await flowdeck.killMlflow();
    await signIn();
    await expect(page.getByRole('alert')).toContainText('MLflow');
    await expect(page.getByLabel('User name')).toHaveValue(name);
    await flowdeck.ready();
    await signIn();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
    // What the document fetched ahead is to be used before the server is gone.
    await awake(page, hasScript);

    await flowdeck.end('SIGKILL');
    await flowdeck.run();
    await page.reload();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Experiments');
    await context.close();
  } finally {
    await flowdeck.stop();
  }
});
