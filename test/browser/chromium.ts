import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Where systems keep a browser that can be driven. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The browser that tests drive: what `CHROMIUM` names, or the first that is there; null when there is none. */
export const chromiumPath = (): string | null =>
  process.env.CHROMIUM || (PLACES.find((path) => existsSync(path)) ?? null);

/** Said in place of the browser tests where there is no browser. */
export const NO_BROWSER =
  'There is no Chromium here: install one (apt-get install chromium) or name it in CHROMIUM.';

/**
 * Starts a browser without a window that talks to nobody but the page's server.
 *
 * @throws when there is no browser
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === null) throw new Error(NO_BROWSER);
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
