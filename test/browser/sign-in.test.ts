import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { links } from '../../src/dashboard/links.ts';
import { becomes } from '../support/becomes.ts';
import { tokenOf } from '../support/operators.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { type Simulator, startIdentity } from '../support/simulators.ts';
import { type BrowserWorld, describeInBrowser, type Opened, openBrowserWorld } from './world.ts';

const ROOT = '/benefits/bridge';
const CLIENT = 'g2p-bridge-dashboard';

describeInBrowser('signing in to the dashboard', { timeout: 60_000 }, () => {
  let world: BrowserWorld;
  let identity: Simulator;
  let refused: Disbursing;
  beforeAll(async () => {
    [world, identity] = await Promise.all([
      openBrowserWorld({ operators: {} }),
      startIdentity({
        clients: [{ client_id: CLIENT, redirect_uris: ['http://127.0.0.1/', `http://127.0.0.1${ROOT}/`] }],
      }),
    ]);
    await world.outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse', count: 3 }]);
    refused = await world.pipeline.disburse(await world.pipeline.program(), [['10']]);
    await becomes(() => world.pipeline.batch(idOfBatch()), { sponsor_bank_dispatch_status: 'ERROR' });
  });
  afterEach(async () => {
    for (const context of world.browser.contexts()) await context.close();
    await control({ tokens: null });
  });
  afterAll(async () => {
    await world.close();
    await identity.stop();
  });

  const idOfBatch = () => refused.batches[0]?.row.id ?? '';
  const oidc = () => ({
    operator_oidc_issuer: identity.url,
    operator_oidc_audience: CLIENT,
    operator_oidc_client_id: CLIENT,
  });
  const serveWith = async (settings: Readonly<Record<string, string>>, rootPath = '') => {
    await world.stopServing();
    await world.serve({ settings, ...(rootPath !== '' && { rootPath }) });
  };
  const control = (rules: object) =>
    fetch(`${identity.url}/_control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rules),
    });

  /** Opens a window that keeps the address of every request. */
  async function open(
    path: string,
    options: BrowserContextOptions = {},
  ): Promise<Opened & { urls: string[] }> {
    const opened = await world.open('/', options);
    const urls: string[] = [];
    opened.page.on('request', (request) => urls.push(request.url()));
    opened.page.on('websocket', (socket) => urls.push(socket.url()));
    await opened.page.goto(`${world.url}/#${path}`);
    return { ...opened, urls };
  }
  async function enterToken(page: Page, token: string): Promise<void> {
    await page.getByLabel('Access token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
  async function signInAs(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: `Sign in to ${CLIENT}` }).waitFor();
    await page.getByRole('button', { name }).click();
  }
  const isOn = (page: Page, heading: string) =>
    page.getByRole('heading', { name: heading, level: 1 }).waitFor();
  const storageOf = (page: Page, kind: 'localStorage' | 'sessionStorage') =>
    page.evaluate<string>(`JSON.stringify({ ...window.${kind} })`);

  it('a wrong token is told so, the right one leads to the page that was wanted, also after a reload, until one signs out', async () => {
    await serveWith({});
    const token = tokenOf('operator');
    const { page, urls } = await open(links.errors());
    await enterToken(page, 'g2p_wrong');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/token/i);
    await enterToken(page, token);
    await isOn(page, 'Errors');
    await page.getByText('BANK_REFUSED').first().waitFor();
    await page.getByRole('status').getByText('Live').waitFor();
    await page.reload();
    await isOn(page, 'Errors');

    expect(urls.length).toBeGreaterThan(5);
    expect(urls.filter((url) => url.includes(token) || url.includes('g2p_wrong'))).toEqual([]);
    expect(await storageOf(page, 'localStorage')).not.toContain(token);
    expect((await page.context().cookies()).length).toBe(0);

    await page.locator('summary', { hasText: 'Account and theme' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
    expect(await page.getByText('BANK_REFUSED').count()).toBe(0);
    expect(await storageOf(page, 'sessionStorage')).not.toContain(token);
    await page.reload();
    await page.getByLabel('Access token').waitFor();
  });

  it('a viewer sees what they may not do, and why, and the server refuses it', async () => {
    await serveWith({});
    const { page, faults } = await open(links.errors());
    await enterToken(page, tokenOf('viewer'));
    await isOn(page, 'Errors');
    const why = 'Needs the role operator; you have the role viewer.';
    const retry = page.getByRole('button', { name: /^Retry all/ });
    await retry.waitFor();
    expect([await retry.getAttribute('aria-disabled'), await retry.getAttribute('title')]).toEqual([
      'true',
      why,
    ]);
    await retry.click({ force: true });
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.goto(`${world.url}/#${links.operations()}`);
    for (const name of [/^Stop payments/, /^Run now: Check funds/, /^Pause: Check funds/]) {
      const button = page.getByRole('button', { name }).first();
      await button.waitFor();
      expect([await button.getAttribute('aria-disabled'), await button.getAttribute('title')]).toEqual([
        'true',
        why,
      ]);
    }
    expect(faults).toEqual([]);

    const target = { stage: 'disburse_funds_from_bank', code: 'BANK_REFUSED' };
    const answer = await world
      .surface()
      .as('viewer')
      .post('/operator/actions/retry', { target, reason: 'I would like to.' });
    expect([answer.status, answer.body.code]).toEqual([403, 'ROLE_MISSING']);
    expect(await world.pipeline.batch(idOfBatch())).toMatchObject({ sponsor_bank_dispatch_status: 'ERROR' });
  });

  it.each([
    ['Vera Viewer', 'viewer', ''],
    ['Paula Payer', 'payer', ''],
    ['Paula Payer', 'payer', ROOT],
  ])('%s signs in with the identity provider as a %s, at the path "%s"', async (name, role, rootPath) => {
    await serveWith(oidc(), rootPath);
    const path = links.actor('batch', idOfBatch());
    const { page, urls, faults } = await open(path);
    await signInAs(page, name);
    await page.getByText(idOfBatch()).first().waitFor();
    await page.getByRole('status').getByText('Live').waitFor();
    expect(page.url()).toBe(`${world.url}/#${path}`);
    expect(await page.locator('.menu-button').textContent()).toContain(role);
    const retry = page.getByRole('button', { name: /^Retry/ }).first();
    expect(await retry.getAttribute('aria-disabled')).toBe(role === 'viewer' ? 'true' : null);

    const kept = JSON.parse(JSON.parse(await storageOf(page, 'sessionStorage'))['g2p-bridge.credential']);
    expect(kept.bearer.length).toBeGreaterThan(100);
    expect(urls.filter((url) => url.includes(kept.bearer))).toEqual([]);
    expect(await storageOf(page, 'localStorage')).not.toContain(kept.bearer);
    await page.reload();
    await page.getByText(idOfBatch()).first().waitFor();
    expect(faults).toEqual([]);
  });

  it('who is known to the provider and has no role is told so', async () => {
    await serveWith(oidc());
    const { page } = await open('/');
    await signInAs(page, 'Nora Nobody');
    await page.getByText('nora is no operator').waitFor();
  });

  it('a session that ends leads to signing in, and then to the same page', async () => {
    await serveWith(oidc());
    await control({ tokens: { expires_in: 3, lives_seconds: 3 } });
    const { page } = await open(links.errors());
    await signInAs(page, 'Otto Operator');
    await isOn(page, 'Errors');
    await page.getByText('Your session has ended.').waitFor();
    expect(await page.getByText('BANK_REFUSED').count()).toBe(0);
    await control({ tokens: null });
    await signInAs(page, 'Otto Operator');
    await isOn(page, 'Errors');
    await page.getByText('BANK_REFUSED').first().waitFor();
  });

  it('a provider that cannot be reached is named', async () => {
    await serveWith(oidc());
    const { page } = await open('/');
    await page.route(`${identity.url}/**`, (route) => route.abort('connectionrefused'));
    await page.getByRole('button', { name: 'Sign in' }).click();
    const alert = page.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toContain(identity.url);
  });
});
