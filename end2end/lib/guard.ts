// What no test may cause unnoticed: errors in the console, in scripts, of the policy, of requests.

import type { BrowserContext, Page } from '@playwright/test';

type Asked = { status?: number; path?: RegExp };

/** Reports violations of the Content-Security-Policy where they happen, also those that Chromium does not print. */
const REPORT = `addEventListener('securitypolicyviolation', (event) => console.error('[policy] ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile + ':' + event.lineNumber))`;

export class Guard {
  readonly problems: string[] = [];
  private readonly statuses: Required<Asked>[] = [];
  private readonly messages: RegExp[] = [];
  private lenient = false;

  /** Answers with this status are part of the test. */
  expectStatus(status: number, path = /.*/) {
    this.statuses.push({ status, path });
  }

  /** Messages like this one are part of the test. */
  expectMessage(message: RegExp) {
    this.messages.push(message);
  }

  /** From here on requests may fail: the server is being stopped. */
  expectOutage() {
    this.lenient = true;
  }

  async watch(context: BrowserContext, hasScript: boolean) {
    if (hasScript) await context.addInitScript(REPORT);
    context.on('console', (message) => {
      const text = message.text();
      // Judged below, by its status.
      if (text.startsWith('Failed to load resource')) return;
      // Where no script runs, nothing uses what the document fetched ahead for it.
      if (!hasScript && text.includes('was preloaded using link preload but not used')) return;
      if (['error', 'warning', 'assert'].includes(message.type())) this.note(`console ${message.type()}: ${text} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.note(`page error: ${error.error().stack ?? error.error()}`));
    context.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? '';
      // Who leaves a page, or downloads, cancels what it was loading.
      // Chromium's word for a script that it was told not to run.
      if (why === 'csp' && !hasScript) return;
      if (why === 'net::ERR_ABORTED' || this.lenient || !isOurs(request.url())) return;
      this.note(`request failed: ${request.method()} ${request.url()}: ${why}`);
    });
    context.on('response', (response) => {
      const status = response.status();
      const { pathname } = new URL(response.url());
      if (status < 400 || !isOurs(response.url())) return;
      if (this.lenient && status >= 500) return;
      if (this.statuses.some((asked) => asked.status === status && asked.path.test(pathname))) return;
      this.note(`${response.request().method()} ${response.url()} answered ${status}`);
    });
    context.on('request', (request) => {
      if (/^(https?|wss?):/.test(request.url()) && !isOurs(request.url())) this.note(`something was asked of another site: ${request.url()}`);
    });
  }

  private note(problem: string) {
    if (!this.messages.some((message) => message.test(problem))) this.problems.push(problem);
  }
}

/** Every Flowdeck under test answers here; nothing else is to be asked. */
function isOurs(url: string) {
  return new URL(url).hostname === '127.0.0.1';
}

/** Waits until the page's script has taken over; where there is none, as on the sign-in page, there is nothing to wait for. */
export async function awake(page: Page, hasScript: boolean) {
  if (hasScript) await page.locator('html[data-awake], html:not([data-site])').waitFor({ state: 'attached' });
}

/** Loads the page anew and waits for its script: what is pressed before that is lost. */
export async function reload(page: Page) {
  await page.reload();
  await awake(page, true);
}
