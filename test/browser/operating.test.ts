import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Overview } from '../../src/api/operator/wire/overview.ts';
import { becomes } from '../support/becomes.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { until } from '../support/wait.ts';
import { type BrowserWorld, describeInBrowser, openBrowserWorld } from './world.ts';

const STATUS = 'sponsor_bank_dispatch_status';

describeInBrowser('operating from the dashboard', { timeout: 60_000 }, () => {
  let world: BrowserWorld;
  beforeAll(async () => {
    world = await openBrowserWorld();
  });
  afterEach(async () => {
    await world.outside.bank.faults([]);
    for (const context of world.browser.contexts()) await context.close();
    const { pauses } = world.pipeline.system;
    for (const stage of pauses.list().keys())
      await pauses.resume(stage, { by: 'test', reason: 'The test has ended.' });
  });
  afterAll(() => world.close());

  async function pay(): Promise<Disbursing & { account: string }> {
    const program = await world.pipeline.program();
    const disbursing = await world.pipeline.disburse(program, [['10', '20.5']]);
    return { ...disbursing, account: program.account };
  }
  const idOf = ({ batches }: Disbursing): string => batches[0]?.row.id ?? '';
  const becomesPaid = (disbursing: Disbursing) =>
    becomes(() => world.pipeline.batch(idOf(disbursing)), { [STATUS]: 'PROCESSED' });
  const refuseOnce = () =>
    world.outside.bank.faults([{ path: '/initiate_payment', kind: 'refuse', count: 3 }]);

  /** A figure of a stage, as it stands on the overview; null before it is there. */
  async function figure(page: Page, stage: string, name: string): Promise<number | null> {
    const cell = page
      .locator('article.stage', { has: page.getByRole('heading', { name: stage, exact: true }) })
      .locator('.stage-figure', { hasText: name })
      .locator('dd');
    return (await cell.count()) === 1 ? Number((await cell.textContent())?.replace(/\D/g, '')) : null;
  }
  async function figureOnceThere(page: Page): Promise<number> {
    await until('the stages are shown', async () => (await figure(page, 'Pay', 'Done')) !== null);
    return (await figure(page, 'Pay', 'Done')) ?? 0;
  }
  const shows = (page: Page, stage: string, name: string, value: number) =>
    until(`${stage} shows ${value} ${name}`, async () => (await figure(page, stage, name)) === value);

  async function inErrors(page: Page, code: string): Promise<void> {
    await page.getByRole('link', { name: code }).first().waitFor();
  }
  async function giveReason(page: Page, reason: string, button: string): Promise<void> {
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason').fill(reason);
    await dialog.getByRole('button', { name: button, exact: true }).click();
  }

  it('an error at the bank appears by itself, is retried from the page with a reason, and turns green', async () => {
    const { page, faults } = await world.open('/errors');
    await page.getByText('Nothing stands in ERROR.').waitFor();
    await refuseOnce();
    const disbursing = await pay();
    await becomes(() => world.pipeline.batch(idOf(disbursing)), { [STATUS]: 'ERROR' });
    await inErrors(page, 'BANK_REFUSED');

    await page.getByRole('button', { name: /^Retry all/ }).click();
    await giveReason(page, 'The bank has corrected its list.', 'Retry 1 record');
    await becomesPaid(disbursing);
    await page.getByRole('dialog').getByText('1 record will be tried again.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    await page.getByText('Nothing stands in ERROR.').waitFor();

    await page.goto(`${world.url}/#/audit`);
    await page.getByText('The bank has corrected its list.').waitFor();
    await page.goto(`${world.url}/#/actors/batch/${idOf(disbursing)}`);
    await page.getByText('The bank has corrected its list.').first().waitFor();
    expect(faults).toEqual([]);
    const { debits, duplicate_references } = await world.outside.bank.ledger(disbursing.account);
    expect({ debits, duplicate_references }).toEqual({ debits: 2, duplicate_references: 0 });
  });

  it('stopping payments from the page holds them, over a reload too, and resuming lets them go', async () => {
    const { page, faults } = await world.open('/operations');
    await page
      .getByRole('region', { name: 'Payments' })
      .getByRole('button', { name: 'Stop payments' })
      .click();
    await giveReason(page, 'The list looks wrong.', 'Stop payments');
    await page.getByText('Payments are stopped').waitFor();
    const requests = await world.outside.bank.requests('/initiate_payment');

    const disbursing = await pay();
    await becomes(() => world.pipeline.envelope(disbursing.envelope.id), {
      funds_blocked_with_bank: 'FUNDS_BLOCK_SUCCESS',
    });
    await becomes(() => world.pipeline.batch(idOf(disbursing)), { [STATUS]: 'PENDING' });
    await page.reload();
    await page.getByText('Payments are stopped').waitFor();
    await page.getByText('The list looks wrong.').first().waitFor();
    const overview = await world.open('/');
    await overview.page.locator('.stage', { hasText: 'Paused' }).waitFor();
    expect(await world.outside.bank.requests('/initiate_payment')).toBe(requests);
    expect((await world.pipeline.batch(idOf(disbursing)))[STATUS]).toBe('PENDING');

    await page
      .getByRole('region', { name: 'Payments' })
      .getByRole('button', { name: 'Resume payments' })
      .click();
    await giveReason(page, 'The list is right after all.', 'Resume payments');
    await page.getByText('Payments go out').waitFor();
    await becomesPaid(disbursing);
    expect([...faults, ...overview.faults]).toEqual([]);
  });

  it('two browsers see the same figures move as things happen, and what the other has done', async () => {
    const [one, two] = [await world.open('/'), await world.open('/')];
    for (const { page } of [one, two]) await page.getByRole('status').getByText('Live').waitFor();
    const before = await figureOnceThere(one.page);
    const disbursings = [await pay(), await pay(), await pay()];
    for (const disbursing of disbursings) await becomesPaid(disbursing);
    for (const { page } of [one, two]) await shows(page, 'Pay', 'Done', before + disbursings.length);
    // What is asked for is counted once a second; what a page shows runs ahead of it.
    const agree = async (page: Page): Promise<boolean> => {
      const overview = (await (await fetch(`${world.url}/operator/overview`)).json()) as Overview;
      const shown = overview.stages
        .filter(({ machine }) => machine === 'envelope')
        .map(async ({ title, tally }) => (await figure(page, title, 'Done')) === tally.processed);
      return (await Promise.all(shown)).every(Boolean);
    };
    for (const { page } of [one, two]) await until('server and page agree', () => agree(page));

    await one.page.goto(`${world.url}/#/operations`);
    await one.page.getByRole('button', { name: 'Pause: Check funds' }).click();
    await giveReason(one.page, 'The bank asked for it.', 'Pause');
    await two.page.locator('.stage', { hasText: 'Paused' }).waitFor();
    await one.page.getByRole('button', { name: 'Resume: Check funds' }).click();
    await giveReason(one.page, 'The bank is ready.', 'Resume');
    await two.page.locator('.stage', { hasText: 'Paused' }).waitFor({ state: 'detached' });
    expect([...one.faults, ...two.faults]).toEqual([]);
  });

  it('says that it reconnects when the server is away, and then shows what happened meanwhile', async () => {
    const { page } = await world.open('/');
    await page.getByRole('status').getByText('Live').waitFor();
    const before = await figureOnceThere(page);
    await world.stopServing();
    await page.getByRole('status').getByText('Reconnecting').waitFor();
    const disbursing = await pay();
    await becomesPaid(disbursing);
    await world.serve();
    await page.getByRole('status').getByText('Live').waitFor();
    await shows(page, 'Pay', 'Done', before + 1);
    await becomesPaid(await pay());
    await shows(page, 'Pay', 'Done', before + 2);
  });

  it('cancels an envelope from its page, and shows that it is', async () => {
    const program = await world.pipeline.program();
    const announced = await world.pipeline.announce(program, [['5'], ['6']]);
    const { page, faults } = await world.open(`/envelopes/${announced.envelope.id}`);
    await page.getByRole('button', { name: 'Cancel envelope' }).click();
    await giveReason(page, 'Sent by mistake.', 'Cancel envelope');
    await page.getByText('Cancelled').first().waitFor();
    await becomes(() => world.pipeline.envelope(announced.envelope.id), { cancellation_status: 'Cancelled' });
    expect(faults).toEqual([]);
  });

  it('shows a transition on the chart of a record the moment it happens', async () => {
    await world.outside.bank.faults([{ path: '/initiate_payment', kind: 'delay', delay_ms: 3_000 }]);
    const disbursing = await pay();
    await becomes(() => world.pipeline.batch(idOf(disbursing)), { [STATUS]: 'PROCESSING' });
    const { page, faults } = await world.open(`/actors/batch/${idOf(disbursing)}`);
    const now = page.getByRole('region', { name: 'Now' });
    await now.getByText('Processing').waitFor();
    await becomesPaid(disbursing);
    await now.getByText('Processing').waitFor({ state: 'detached' });
    expect(faults).toEqual([]);
  });
});
