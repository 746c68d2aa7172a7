import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { links } from '../../src/dashboard/links.ts';
import { type Everything, openEverything } from './everything.ts';

/** Where the pictures go; without it none are made. `npm run screenshots` sets it. */
const FOLDER = process.env.SCREENSHOTS ?? '';
const PEOPLE = 120;
/** Where nobody listens. */
const NOWHERE = 'http://127.0.0.1:9/';
const THEMES = ['light', 'dark'] as const;
const WIDE = { width: 1280, height: 900 };
const TELEPHONE = { width: 390, height: 844 };
/** What does not fit into a picture of this height, in pixels, is left out; of the overview more is worth seeing. */
const HEIGHT_MAX = 1_500;
const OVERVIEW_HEIGHT_MAX = 2_150;
const BYTES_MAX = 250_000;

interface Picture {
  readonly name: string;
  readonly path: string;
  /** Stands there when the page has all it shows. */
  readonly shows: string;
  /** Of the window. */
  readonly size?: typeof WIDE;
  readonly heightMax?: number;
}

const picturesOf = ({ held, refused, mixed, goods }: Everything): readonly Picture[] => [
  { name: 'overview', path: links.overview(), shows: '.uplot', heightMax: OVERVIEW_HEIGHT_MAX },
  { name: 'envelopes', path: links.envelopes(), shows: 'td a' },
  { name: 'envelope', path: links.envelope(held.envelope.id), shows: 'td' },
  { name: 'actor', path: links.actor('batch', refused.batches[0]?.row.id ?? ''), shows: '.react-flow__node' },
  { name: 'errors', path: links.errors(), shows: 'text=BANK_REFUSED' },
  {
    name: 'records-of-an-error',
    path: links.errorItems('disburse_funds_from_bank', 'BANK_REFUSED'),
    shows: '.error-item',
  },
  { name: 'statements', path: links.statements(), shows: 'td' },
  { name: 'statement', path: links.statement(mixed), shows: 'td' },
  { name: 'discrepancies', path: links.statements({ tab: 'discrepancies' }), shows: 'td' },
  { name: 'operations', path: links.operations(), shows: 'td' },
  { name: 'configuration', path: links.operations({ tab: 'configuration' }), shows: 'td' },
  {
    // Without internet, so that the picture is the same everywhere.
    name: 'inspector',
    path: links.inspector({ envelope: goods.envelope.id }),
    shows: 'text=The inspector does not answer',
  },
  { name: 'audit', path: links.audit(), shows: '.audit-entry' },
  { name: 'overview-390', path: links.overview(), shows: 'article.stage', size: TELEPHONE },
];

describe.runIf(FOLDER !== '')('pictures of the dashboard', { timeout: 180_000 }, () => {
  it('are made of every page in both themes', async () => {
    await mkdir(FOLDER, { recursive: true });
    const everything = await openEverything({ inspector_url: NOWHERE }, PEOPLE);
    try {
      for (const theme of THEMES) {
        const { page, faults } = await everything.world.open('/', {
          colorScheme: theme,
          reducedMotion: 'reduce',
        });
        for (const picture of picturesOf(everything)) {
          const path = join(FOLDER, `${picture.name}-${theme}.png`);
          await take(page, everything.world.url, picture, path);
          expect((await stat(path)).size, path).toBeLessThan(BYTES_MAX);
        }
        expect(faults.filter((fault) => !fault.includes(NOWHERE))).toEqual([]);
      }
    } finally {
      await everything.world.close();
    }
  });
});

async function take(page: Page, url: string, picture: Picture, path: string): Promise<void> {
  const { width } = picture.size ?? WIDE;
  await page.setViewportSize(picture.size ?? WIDE);
  // A page of its own each time: what was opened or scrolled before is not in the picture.
  await page.goto('about:blank');
  await page.goto(`${url}/#${picture.path}`);
  await page.locator(picture.shows).first().waitFor({ state: 'attached' });
  await page.waitForFunction("document.querySelector('main .loading') === null");
  await page.getByRole('status').getByText('Live').waitFor();
  const whole = await page.evaluate<number>('document.documentElement.scrollHeight');
  const height = Math.min(whole, picture.heightMax ?? HEIGHT_MAX);
  // As if the window were that high: what sticks to its bottom is at the bottom of the picture.
  await page.setViewportSize({ width, height });
  await page.screenshot({ path, animations: 'disabled' });
}
