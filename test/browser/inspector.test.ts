import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { links } from '../../src/dashboard/links.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { becomes } from '../support/becomes.ts';
import type { Disbursing } from '../support/pipeline.ts';
import { until } from '../support/wait.ts';
import { type FakeInspector, startFakeInspector } from './fake-inspector.ts';
import { type BrowserWorld, describeInBrowser, openBrowserWorld } from './world.ts';

/** An inspection event, as far as it matters here. */
interface Told {
  readonly type: string;
  readonly sessionId: string;
}

describeInBrowser('the page of the inspector', { timeout: 60_000 }, () => {
  let world: BrowserWorld;
  let inspector: FakeInspector;
  let paid: Disbursing;
  let other: Disbursing;
  beforeAll(async () => {
    inspector = await startFakeInspector();
    world = await openBrowserWorld();
    [paid, other] = await Promise.all([pay(), pay()]);
  });
  afterEach(async () => {
    inspector.speedUp();
    for (const context of world.browser.contexts()) await context.close();
  });
  afterAll(async () => {
    await world.close();
    await inspector.close();
  });

  async function pay(): Promise<Disbursing> {
    const disbursing = await world.pipeline.disburse(await world.pipeline.program(), [['10', '20']]);
    await becomes(() => world.pipeline.envelope(disbursing.envelope.id), {
      number_of_disbursements_shipped: 2,
    });
    return disbursing;
  }
  async function serveWith(inspectorUrl: string): Promise<void> {
    await world.stopServing();
    await world.serve({ settings: { inspector_url: inspectorUrl } });
  }
  const pathOf = ({ envelope }: Disbursing) => links.inspector({ envelope: envelope.id });
  const idOfBatch = ({ batches }: Disbursing) => batches[0]?.row.id ?? '';

  /** What the inspector in the frame has been told so far. */
  async function told(page: Page): Promise<readonly Told[]> {
    const frame = page.frames().find((one) => one.url() === inspector.url);
    // Another envelope has another frame, and the one before may just be going.
    return (await frame?.evaluate<Told[] | undefined>('window.told').catch(() => [])) ?? [];
  }
  /** Of each actor: whether it was made known, and how many snapshots there were. */
  async function toldOf(page: Page): Promise<Readonly<Record<string, string>>> {
    const events = await told(page);
    const actors = [...new Set(events.map(({ sessionId }) => sessionId))];
    const count = (id: string, type: string) =>
      events.filter((event) => event.sessionId === id && event.type === type).length;
    return Object.fromEntries(
      actors.map((id) => [id, `${count(id, '@xstate.actor')} + ${count(id, '@xstate.snapshot')}`]),
    );
  }
  /** What the journal has of an envelope. */
  async function journalOf({ envelope }: Disbursing): Promise<Readonly<Record<string, string>>> {
    const rows = await world.pipeline.database.sql<{ actor: string; steps: number }[]>`
      select machine || '/' || actor_id as actor, count(*)::int as steps from actor_transitions
      where correlation_id = ${envelope.id} group by 1`;
    return Object.fromEntries(rows.map(({ actor, steps }) => [actor, `1 + ${steps}`]));
  }
  const isTold = (page: Page, disbursing: Disbursing) =>
    until('the inspector has been told everything, once', async () => {
      const [journal, known] = await Promise.all([journalOf(disbursing), toldOf(page)]);
      return Object.values(journal).join() !== '' && sorted(journal) === sorted(known);
    });
  const sorted = (counts: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(counts).sort());

  it('shows the inspector what has happened to the chosen envelope, and what happens', async () => {
    await serveWith(inspector.url);
    const { page, faults } = await world.open(pathOf(paid));
    await isTold(page, paid);
    expect(Object.keys(await toldOf(page)).join()).toContain(idOfBatch(paid));

    await page.getByLabel('Envelope').selectOption(other.envelope.id);
    await isTold(page, other);
    const next = await world.pipeline.announce(await world.pipeline.program(), [['5']]);
    await page.goto(`${world.url}/#${pathOf(next)}`);
    await isTold(page, next);
    for (const batch of next.batches) await world.pipeline.receive(batch);
    await becomes(() => world.pipeline.envelope(next.envelope.id), { number_of_disbursements_shipped: 1 });
    await isTold(page, next);
    expect(faults).toEqual([]);
  });

  it('leaves nothing out when the inspector answers before its page is complete', async () => {
    await serveWith(inspector.url);
    inspector.slowDown();
    const { page, faults } = await world.open(pathOf(paid));
    await page
      .locator('td', { hasText: idOfBatch(paid) })
      .first()
      .waitFor();
    await until('the inspector answers', async () => page.frames().length === 2);
    inspector.speedUp();
    await isTold(page, paid);
    expect(faults).toEqual([]);
  });

  it('says what to do when the inspector cannot be reached, and lists the transitions all the same', async () => {
    const url = `http://127.0.0.1:${await freePort()}/inspect`;
    await serveWith(url);
    const { page } = await world.open(pathOf(paid));
    await page
      .locator('td', { hasText: idOfBatch(paid) })
      .first()
      .waitFor();
    const advice = page.getByRole('region', { name: 'The inspector does not answer' });
    await advice.waitFor();
    expect(await advice.textContent()).toContain(url);
    expect(await advice.textContent()).toContain('G2P_BRIDGE_INSPECTOR_URL');
    await advice.getByRole('link', { name: 'the chart of this envelope' }).click();
    await page.locator('.react-flow__node').first().waitFor();
  });
});
