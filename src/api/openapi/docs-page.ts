import type { StaticDocumentSpec } from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { OpenApiDocument } from './document.ts';

export const DOCS_PATH = '/docs';

/** What the page may do: use its own files, nothing of other hosts, and no scripts inside of the page. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "base-uri 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "object-src 'none'",
  "script-src 'self'",
  "script-src-attr 'none'",
  "style-src 'self' 'unsafe-inline'",
].join('; ');

/**
 * `/docs`, the document to read and try, with files of its own only, so that it works without internet.
 *
 * What makes the page takes as long to load as the rest of the API, and most processes are never asked for it: it is
 * loaded when somebody asks first, as a server that nobody reaches but through here.
 *
 * @param rootPath put before the paths: empty, or `/like/this`
 */
export function docsPage(app: FastifyInstance, rootPath: string, document: () => OpenApiDocument): void {
  let page: Promise<FastifyInstance> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    page ??= openPage(rootPath, document()).catch((error: unknown) => {
      page = undefined;
      throw error;
    });
    const ui = await page;
    const { statusCode, headers, rawPayload } = await ui.inject({ method: 'GET', url: request.url });
    if (statusCode >= 400) return reply.callNotFound();
    const { 'content-type': type, location, 'content-security-policy': policy } = headers;
    reply.code(statusCode).headers({ 'content-security-policy': policy ?? CONTENT_SECURITY_POLICY });
    if (location) reply.header('location', location);
    if (type) reply.type(String(type));
    return reply.send(rawPayload);
  };
  app.get(DOCS_PATH, answer);
  app.get(`${DOCS_PATH}/*`, answer);
  app.addHook('onClose', async () => {
    await (await page)?.close();
  });
}

async function openPage(rootPath: string, document: OpenApiDocument): Promise<FastifyInstance> {
  const [{ default: swagger }, { default: swaggerUi }] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
  ]);
  const ui: FastifyInstance = Fastify({ logger: false });
  const specification = { document } as unknown as StaticDocumentSpec;
  await ui.register(swagger, { mode: 'static', specification });
  await ui.register(
    async (scope) =>
      scope.register(swaggerUi, {
        routePrefix: DOCS_PATH,
        indexPrefix: rootPath,
        theme: { title: 'API' },
        staticCSP: CONTENT_SECURITY_POLICY,
      }),
    { prefix: rootPath },
  );
  await ui.ready();
  return ui;
}
