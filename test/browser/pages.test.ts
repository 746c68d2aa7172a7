import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { links } from '../../src/dashboard/links.ts';
import { type Everything, openEverything } from './everything.ts';
import { type FakeInspector, startFakeInspector } from './fake-inspector.ts';
import { describeInBrowser, type Opened } from './world.ts';

interface Place {
  readonly name: string;
  readonly path: (everything: Everything) => string;
  readonly heading: RegExp;
  /** Stands there when the page has all it shows. */
  readonly shows: string;
  /** Text that no other page shows, for pages of one of many records. */
  readonly of?: (everything: Everything) => string;
}

const actor = (machine: keyof Everything['ids']): Place => ({
  name: `a record: ${machine}`,
  path: ({ ids }) => links.actor(machine, ids[machine]),
  heading: new RegExp(machine, 'i'),
  shows: '.react-flow__node',
  of: ({ ids }) => ids[machine],
});

const envelope = (kind: 'finished' | 'goods' | 'cancelled' | 'held'): Place => ({
  name: `an envelope: ${kind}`,
  path: (everything) => links.envelope(everything[kind].envelope.id),
  heading: /SEEDS/,
  shows: 'td',
  of: (everything) => everything[kind].envelope.id,
});

const OPERATIONS = { heading: /^Operations$/ } as const;
const tab = (title: string, content: string): string =>
  `[role=tablist]:has([aria-selected=true]:text("${title}")) ~ [role=tabpanel] ${content}`;

const PLACES: readonly Place[] = [
  { name: 'overview', path: links.overview, heading: /^Overview$/, shows: 'article.stage' },
  { name: 'envelopes', path: () => links.envelopes(), heading: /^Envelopes$/, shows: 'td a' },
  envelope('finished'),
  envelope('goods'),
  envelope('cancelled'),
  envelope('held'),
  actor('envelope'),
  actor('batch'),
  actor('geo'),
  actor('beneficiary'),
  actor('statement'),
  { name: 'errors', path: () => links.errors(), heading: /^Errors$/, shows: 'text=BANK_REFUSED' },
  {
    name: 'records of an error',
    path: () => links.errorItems('disburse_funds_from_bank', 'BANK_REFUSED'),
    heading: /^BANK_REFUSED$/,
    shows: '.error-item',
  },
  {
    name: 'statements',
    path: () => links.statements(),
    heading: /^Statements$/,
    shows: tab('Uploads', 'td a'),
  },
  {
    name: 'discrepancies',
    path: () => links.statements({ tab: 'discrepancies' }),
    heading: /^Statements$/,
    shows: tab('Discrepancies', 'td'),
  },
  { name: 'a statement', path: ({ mixed }) => links.statement(mixed), heading: /^Statement ./, shows: 'td' },
  { ...OPERATIONS, name: 'stages', path: () => links.operations(), shows: tab('Stages', 'td') },
  {
    ...OPERATIONS,
    name: 'processes',
    path: () => links.operations({ tab: 'processes' }),
    shows: tab('Processes and systems', 'td'),
  },
  {
    ...OPERATIONS,
    name: 'parked records',
    path: () => links.operations({ tab: 'parked' }),
    shows: tab('Parked records', '*'),
  },
  {
    ...OPERATIONS,
    name: 'configuration',
    path: () => links.operations({ tab: 'configuration' }),
    shows: tab('Configuration', 'td'),
  },
  { name: 'audit log', path: links.audit, heading: /^Audit$/, shows: '.audit-entry' },
  {
    name: 'inspector',
    path: ({ goods }) => links.inspector({ envelope: goods.envelope.id }),
    heading: /^Inspector$/,
    shows: 'td code',
  },
  {
    name: 'nothing found',
    path: () => links.find('nothing-has-this-id'),
    heading: /^Find$/,
    shows: 'text=Nothing has the id',
  },
  { name: 'no page', path: () => '/no/such/page', heading: /^No such page$/, shows: 'main a' },
];

/** Two windows side by side take half the time. */
const WINDOWS = 2;
/** What else axe looks at depends neither on the theme nor, on both widths, on more than one of the themes. */
const CONTRAST = ['color-contrast'];
const VARIANTS = [
  { width: 1280, theme: 'light', rules: null },
  { width: 1280, theme: 'dark', rules: CONTRAST },
  { width: 390, theme: 'dark', rules: null },
  { width: 390, theme: 'light', rules: CONTRAST },
] as const;

describeInBrowser('every page of the dashboard', { timeout: 90_000 }, () => {
  let inspector: FakeInspector;
  let everything: Everything;
  let windows: readonly Opened[];
  beforeAll(async () => {
    inspector = await startFakeInspector();
    everything = await openEverything({ inspector_url: inspector.url });
    windows = await Promise.all(
      Array.from({ length: WINDOWS }, () => everything.world.open('/', { reducedMotion: 'reduce' })),
    );
  });
  afterAll(async () => {
    await everything?.world.close();
    await inspector.close();
  });

  it('has a heading, no faults, nothing serious for axe, and fits on a telephone, light and dark', async () => {
    const todo = [...PLACES];
    const found: string[] = [];
    await Promise.all(
      windows.map(async ({ page, faults }) => {
        for (let place = todo.shift(); place !== undefined; place = todo.shift()) {
          const { name } = place;
          found.push(...(await lookAt(page, place, everything).catch((error) => [`${name}: ${error}`])));
          found.push(...faults.splice(0).map((fault) => `${name}: ${fault}`));
        }
      }),
    );
    expect(found).toEqual([]);
  });
});

/** Goes to a page and looks at it in both themes and widths. @returns what is wrong with it */
async function lookAt(page: Page, place: Place, everything: Everything): Promise<string[]> {
  const { name, path, heading, shows, of } = place;
  const wrong: string[] = [];
  await page.goto(`${everything.world.url}/#${path(everything)}`);
  await page.locator('h1', { hasText: heading }).waitFor();
  if (of) await page.locator('main', { hasText: of(everything) }).waitFor();
  await page.locator(shows).first().waitFor({ state: 'attached' });
  await page.waitForFunction("document.querySelector('main .loading') === null");
  expect(await page.locator('h1').count(), name).toBe(1);
  for (const { width, theme, rules } of VARIANTS) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    const faults = [...(await axeFaults(page, rules)), ...(await widthFaults(page))];
    wrong.push(...faults.map((fault) => `${name}, ${theme}, ${width} pixels: ${fault}`));
  }
  return wrong;
}

/** What axe finds serious or critical. @param rules those to look at; null: all */
async function axeFaults(page: Page, rules: readonly string[] | null): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  if (rules !== null) axe.withRules([...rules]);
  const { violations } = await axe.analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`.replace(/\s+/g, ' ')),
  );
}

async function widthFaults(page: Page): Promise<string[]> {
  const tooWide = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  return tooWide > 0 ? [`the page is ${tooWide} pixels too wide`] : [];
}
