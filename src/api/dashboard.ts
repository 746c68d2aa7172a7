import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { OperatorContext } from './operator/context.ts';

/** Where `npm run build` puts the app. */
const BUILT_DIR = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));

const PAGE = 'index.html';
/** The names of these files change with their content. */
const ASSETS = 'assets';
const ASSET_NAME = /^\w[\w.-]*$/;
const ASSET_AGE_MS = 365 * 86_400_000;

/** Registers what serves the operators' web app: one page, and the files that it is made of. */
export async function dashboardPages(
  app: FastifyInstance,
  { context }: { readonly context: OperatorContext },
): Promise<void> {
  const root = context.dashboardDir ?? BUILT_DIR;
  const policy = contentSecurityPolicy(context.access.connectOrigins, [
    new URL(context.config.inspector_url).origin,
  ]);
  await app.register(fastifyStatic, { root, serve: false, preCompressed: true, suppressWarning: true });
  app.get('/', async (request, reply) => {
    // What the page asks for is relative to it: its own path must end with a slash.
    const folder = folderOf(request);
    if (folder !== null) return reply.redirect(folder, 308);
    // Asked for anew every time, which costs little when it has not changed: a new version is there at once.
    reply.headers({ 'content-security-policy': policy, 'cache-control': 'no-cache' });
    if (await isThere(join(root, PAGE))) return reply.sendFile(PAGE, { cacheControl: false });
    return reply.code(503).type('text/html; charset=utf-8').send(NOT_BUILT);
  });
  app.get<{ Params: { file: string } }>(`/${ASSETS}/:file`, async (request, reply) => {
    const { file } = request.params;
    if (!ASSET_NAME.test(file)) return reply.callNotFound();
    return reply.sendFile(`${ASSETS}/${file}`, { maxAge: ASSET_AGE_MS, immutable: true });
  });
}

/** Where the page is when it was asked for without the slash at its end; null when it has one. */
function folderOf({ url }: FastifyRequest): string | null {
  const at = url.indexOf('?');
  const path = at === -1 ? url : url.slice(0, at);
  if (path.endsWith('/')) return null;
  // Relative, for whoever knows us under a longer path.
  return `${path.slice(path.lastIndexOf('/') + 1)}/${at === -1 ? '' : url.slice(at)}`;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * What the page may do: run scripts of its own files only, and ask nobody but this server and who signs operators in.
 *
 * @param connectOrigins of who signs operators in
 * @param frameOrigins of pages that are shown inside of it
 */
const contentSecurityPolicy = (connectOrigins: readonly string[], frameOrigins: readonly string[]): string =>
  [
    "default-src 'none'",
    "base-uri 'none'",
    ['connect-src', "'self'", ...connectOrigins].join(' '),
    "font-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ['frame-src', ...(frameOrigins.length === 0 ? ["'none'"] : frameOrigins)].join(' '),
    "img-src 'self' data:",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "worker-src 'self'",
  ].join('; ');

const NOT_BUILT = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>G2P Bridge</title>
    <style>body { max-width: 36rem; margin: 15vh auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif }</style>
  </head>
  <body>
    <h1>The dashboard has not been built</h1>
    <p>Run <code>npm run build</code> where this server was installed, and load this page again. Everything else works
    without it: the API, the commands and the feed.</p>
  </body>
</html>
`;
