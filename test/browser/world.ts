import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { describe } from 'vitest';
import { type InKindPipeline, openInKind } from '../support/in-kind.ts';
import { type OperatorApiOptions, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../support/pipeline.ts';
import { chromiumPath, NO_BROWSER, openBrowser } from './chromium.ts';

/** Whether there is a browser; without one the tests say so instead of failing, unless they are required. */
export const hasBrowser = (): boolean => process.env.BROWSER_TESTS === 'required' || chromiumPath() !== null;

/** Tests in a browser, which are skipped, saying what is missing, where there is none. */
export function describeInBrowser(title: string, options: { timeout: number }, tests: () => void): void {
  if (hasBrowser()) describe(title, options, tests);
  else describe.skip(`${title} (${NO_BROWSER})`, options, tests);
}

/** A pipeline at work, with its operators' pages, and a browser. */
export interface BrowserWorld {
  readonly outside: Outside;
  readonly pipeline: Pipeline;
  /** What goods, services and physical cash need; null when it was not asked for. */
  readonly inKind: InKindPipeline | null;
  readonly browser: Browser;
  /** Where the pages are, the root path included; the same after a restart. */
  readonly url: string;
  /** The surface that serves now. */
  surface(): OperatorSurface;
  /** Stops serving pages, and all that belongs to them; the pipeline goes on. */
  stopServing(): Promise<void>;
  /** Serves again at the same address. */
  serve(options?: OperatorApiOptions): Promise<void>;
  /** Opens a window; whatever goes wrong in it is in `faults`. */
  open(path: string, options?: BrowserContextOptions): Promise<Opened>;
  close(): Promise<void>;
}

/** A window of a browser of its own. */
export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors on the console, exceptions that nobody caught, and requests that were not answered. */
  readonly faults: string[];
}

/** Settings under which nobody need sign in. */
export const LOOPBACK = { operator_access: 'loopback' } as const;

export interface BrowserWorldOptions extends PipelineOptions {
  /** Settings of the operators' surface; left out: {@link LOOPBACK}. */
  readonly operators?: Readonly<Record<string, string>>;
  /** Whether the pipeline also gives goods, services and physical cash. */
  readonly withInKind?: boolean;
}

/** Starts everything. */
export async function openBrowserWorld(options: BrowserWorldOptions = {}): Promise<BrowserWorld> {
  const { operators = LOOPBACK, withInKind = false, ...pipelineOptions } = options;
  const [outside, browser] = await Promise.all([openOutside(), openBrowser()]);
  const inKind = withInKind ? await openInKind(outside, pipelineOptions) : null;
  const pipeline = inKind?.pipeline ?? (await openPipeline(outside, pipelineOptions));
  let surface: OperatorSurface | null = null;
  let port = 0;
  let rootPath = '';

  const stopServing = async (): Promise<void> => {
    const stopped = surface;
    surface = null;
    await stopped?.close();
  };
  const serve = async (serving: OperatorApiOptions = {}): Promise<void> => {
    const settings = { ...operators, ...serving.settings };
    const { system, database } = pipeline;
    surface = await serveOperators({ system, database }, { ...serving, settings, port });
    port = Number(new URL(surface.url).port);
    rootPath = serving.rootPath ?? '';
  };
  const urlNow = (): string => `http://127.0.0.1:${port}${rootPath}`;
  await serve();
  return {
    outside,
    pipeline,
    inKind,
    browser,
    get url() {
      return urlNow();
    },
    surface() {
      if (!surface) throw new Error('Nothing is served now.');
      return surface;
    },
    stopServing,
    serve,
    open: (path, contextOptions) => openPage(browser, `${urlNow()}/#${path}`, contextOptions),
    async close() {
      await browser.close();
      await stopServing();
      await (inKind ?? pipeline).close();
      await outside.close();
    },
  };
}

/** Opens a page in a window of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    // What the page itself no longer wants is no fault.
    if (why !== 'net::ERR_ABORTED') faults.push(`${request.method()} ${request.url()}: ${why}`);
  });
  await page.goto(url);
  return { page, context, faults };
}
