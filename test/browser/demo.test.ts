import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Overview } from '../../src/api/operator/wire/overview.ts';
import { freePort } from '../../src/db/embedded-join.ts';
import { becomes } from '../support/becomes.ts';
import { fastFolder } from '../support/fast-folder.ts';
import { until } from '../support/wait.ts';
import { openBrowser } from './chromium.ts';
import { describeInBrowser, openPage } from './world.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const DISBURSEMENTS = 120;
const BATCHES = 12;
const FIRST_LOAD_BYTES_MAX = 500_000;
const DEMO_MS = 60_000;

/** The demo, as somebody starts it in a terminal. */
interface Demo {
  readonly child: ChildProcess;
  output(): string;
  /** Waits until it has written something of the kind. */
  said(what: RegExp): Promise<RegExpExecArray>;
}

function startDemo(folder: string, port: number): Demo {
  const size = String(DISBURSEMENTS / BATCHES);
  const args = ['--disbursements', String(DISBURSEMENTS), '--batch-size', size, '--types', 'CASH_DIGITAL'];
  const child = spawn(process.execPath, [MAIN, 'demo', ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      G2P_BRIDGE_DATA_DIR: join(folder, 'data'),
      G2P_BRIDGE_PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return {
    child,
    output: () => output,
    async said(what) {
      await until(
        `the demo says ${what}`,
        () => {
          if (child.exitCode !== null) throw new Error(`The demo ended (${child.exitCode}): ${output}`);
          return what.test(output);
        },
        DEMO_MS,
      );
      return what.exec(output) as RegExpExecArray;
    },
  };
}

/** What the network brought for a page, as it came. */
interface Transferred {
  readonly url: string;
  readonly bytes: number;
  readonly encoding: string;
}

describeInBrowser('the demo', { timeout: 120_000 }, () => {
  let folder: string;
  let browser: Browser;
  let demo: Demo | undefined;
  beforeAll(async () => {
    folder = await fastFolder('demo');
    browser = await openBrowser();
  });
  afterAll(async () => {
    demo?.child.kill('SIGKILL');
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is seen live on the overview, which is light to load, and Ctrl-C ends everything', async () => {
    demo = startDemo(folder, await freePort());
    const [, url = ''] = await demo.said(/bridge {2}(http:\S+)/);
    const { page, context, faults } = await openPage(browser, 'about:blank');
    const transferred = transfersOf(page);
    await page.goto(url);
    const seen = await watchFigure(page, demo);
    expect(new Set(seen).size, seen.join()).toBeGreaterThanOrEqual(2);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);

    // The server counts what has been done a moment later.
    const overviewOnce = async (isThat: (overview: Overview) => boolean): Promise<Overview> => {
      let last: Overview | undefined;
      await until('the server has counted everything', async () => {
        last = (await (await fetch(`${url}/operator/overview`)).json()) as Overview;
        return isThat(last);
      });
      return last as Overview;
    };
    const { stages } = await overviewOnce(
      ({ stages: all, money: [cash] }) =>
        cash?.reconciled === cash?.declared &&
        all.some(({ machine, tally }) => machine === 'statement' && tally.processed > 0),
    );
    const shown = Object.fromEntries(stages.map(({ title, tally }) => [title, tally.processed]));
    expect(shown.Pay).toBe(BATCHES);
    const figuresOnPage = async () =>
      Object.fromEntries(
        await Promise.all(stages.map(async ({ title }) => [title, await figureOf(page, title)] as const)),
      );
    await becomes(figuresOnPage, shown);
    expect(faults).toEqual([]);

    const { files, opened } = transferred;
    const total = (await Promise.all(files)).reduce((sum, { bytes }) => sum + bytes, 0);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThan(FIRST_LOAD_BYTES_MAX);
    for (const { url: file, bytes, encoding } of await Promise.all(files)) {
      if (/\.(js|css)$/.test(file) && bytes >= 1_024) expect([file, encoding]).toEqual([file, 'br']);
    }
    expect(opened.filter((one) => /elk/.test(one))).toEqual([]);

    await context.close();
    const ended = once(demo.child, 'exit');
    demo.child.kill('SIGINT');
    await ended;
    await expect(fetch(url)).rejects.toThrow();
  });

  /** Follows how many batches have been paid until all are and the demo is done. @returns the values that stood there, one after another */
  async function watchFigure(page: Page, { said }: Demo): Promise<number[]> {
    const seen: number[] = [];
    let isDone = false;
    const done = said(/Still serving/).finally(() => {
      isDone = true;
    });
    await until(
      'the demo is done, and the page shows it',
      async () => {
        const value = await figureOf(page, 'Pay');
        if (value !== null && value !== seen.at(-1)) seen.push(value);
        return isDone && value === BATCHES;
      },
      DEMO_MS,
    );
    await done;
    return seen;
  }
});

/** How much a stage has done, as the overview shows it; null before it is there. */
async function figureOf(page: Page, stage: string): Promise<number | null> {
  const cell = page
    .locator('article.stage', { has: page.getByRole('heading', { name: stage, exact: true }) })
    .locator('.stage-figure', { hasText: 'Done' })
    .locator('dd');
  const texts = await cell.allTextContents();
  return texts[0] === undefined ? null : Number(texts[0].replace(/\D/g, ''));
}

/** Keeps what a page loads: its own files, and what they weigh on the wire. */
function transfersOf(page: Page): { readonly files: Promise<Transferred>[]; readonly opened: string[] } {
  const files: Promise<Transferred>[] = [];
  const opened: string[] = [];
  page.on('requestfinished', (request) => {
    const { pathname } = new URL(request.url());
    opened.push(pathname);
    if (pathname !== '/' && !pathname.startsWith('/assets/')) return;
    files.push(
      (async () => {
        const [{ responseBodySize: bytes }, response] = await Promise.all([
          request.sizes(),
          request.response(),
        ]);
        return { url: pathname, bytes, encoding: response?.headers()['content-encoding'] ?? '' };
      })(),
    );
  });
  return { files, opened };
}
