import type { FastifyInstance } from 'fastify';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { failure } from '../shared/server.ts';
import { check, listOf } from '../shared/validation.ts';
import { addressPartsSchema, toAddress } from './addresses.ts';
import { itemsMax, type NewLink, replaceLinks } from './links.ts';

/** A link in the short form: the parts of the address beside the id. */
const shortLinkSchema = addressPartsSchema.extend({
  id: z.string().min(1).max(256),
  name: z.string().max(256).nullish(),
});

const shortLinksSchema = listOf(shortLinkSchema, itemsMax);

/**
 * Adds the paths for setting the mapper up.
 *
 * @param onReset called when everything was removed
 */
export function mountAdmin(app: FastifyInstance, sql: Sql, onReset: () => void): void {
  app.post('/_admin/links', async (request, reply) => {
    const checked = check(shortLinksSchema, request.body);
    if ('problem' in checked) return reply.code(400).send(failure(checked.problem));
    const links: NewLink[] = [];
    for (const [index, { id, name, ...parts }] of checked.value.entries()) {
      const address = toAddress(parts);
      if ('problem' in address) return reply.code(400).send(failure(`[${index}].${address.problem}`));
      links.push({ id, name: name ?? null, address: address.value });
    }
    await replaceLinks(sql, links);
    return { status: 'success', links: links.length };
  });
  app.post('/_admin/reset', async () => {
    await sql`truncate links`;
    onReset();
    return { status: 'success' };
  });
}
