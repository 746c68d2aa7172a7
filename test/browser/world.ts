import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { type OperatorApiOptions, type OperatorSurface, serveOperators } from '../support/operators.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type PipelineOptions } from '../support/pipeline.ts';
import { chromiumPath, openBrowser } from './chromium.ts';

/** Whether there is a browser; without one the tests say so instead of failing, unless they are required. */
export const hasBrowser = (): boolean => process.env.BROWSER_TESTS === 'required' || chromiumPath() !== null;

/** A pipeline at work, with its operators' pages, and a browser. */
export interface BrowserWorld {
  readonly outside: Outside;
  readonly pipeline: Pipeline;
  readonly browser: Browser;
  /** Where the pages are; the same after a restart. */
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
  /** Errors on the console, and exceptions that nobody caught. */
  readonly faults: string[];
}

/** Settings under which nobody need sign in. */
export const LOOPBACK = { operator_access: 'loopback' } as const;

/** Starts everything. */
export async function openBrowserWorld(
  options: PipelineOptions & { readonly operators?: Readonly<Record<string, string>> } = {},
): Promise<BrowserWorld> {
  const { operators = LOOPBACK, ...pipelineOptions } = options;
  const outside = await openOutside();
  const pipeline = await openPipeline(outside, pipelineOptions);
  const browser = await openBrowser();
  let surface: OperatorSurface | null = null;
  let port = 0;

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
  };
  await serve();
  return {
    outside,
    pipeline,
    browser,
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    surface() {
      if (!surface) throw new Error('Nothing is served now.');
      return surface;
    },
    stopServing,
    serve,
    open: (path, contextOptions) => openPage(browser, `http://127.0.0.1:${port}/#${path}`, contextOptions),
    async close() {
      await browser.close();
      await stopServing();
      await pipeline.close();
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
  await page.goto(url);
  return { page, context, faults };
}
