import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.ts';
import { openApiDocument } from './document.ts';
import type { DocumentParts } from './parts.ts';

/** `/openapi.json`, made when somebody asks for it first, and `/docs`. */
export async function documentation(
  app: FastifyInstance,
  options: { readonly parts: DocumentParts },
): Promise<void> {
  const { parts } = options;
  let text: string | undefined;
  app.get('/openapi.json', async (_request, reply) => {
    text ??= JSON.stringify(openApiDocument(parts));
    return reply.type('application/json').send(text);
  });
  docsPage(app, parts.rootPath, () => openApiDocument(parts));
}
