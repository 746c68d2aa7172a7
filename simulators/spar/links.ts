import type { Sql } from 'postgres';
import { z } from 'zod';
import { listOf } from '../shared/validation.ts';
import { type Address, addressPartsSchema, toAddress } from './addresses.ts';
import type { Rules } from './rules.ts';

/** The most items of one request. */
export const itemsMax = 50_000;

const transactionId = z.string().min(1).max(256);
const item = {
  reference_id: z.string().min(1).max(256),
  timestamp: z.string().min(1).max(64),
  id: z.string().min(1).max(256),
};
const locale = z.string().max(16).nullish();

export const resolveSchema = z.strictObject({
  transaction_id: transactionId,
  resolve_request: listOf(
    z.strictObject({ ...item, fa: z.string().max(2_048).nullish(), scope: z.literal('details'), locale }),
    itemsMax,
  ),
});

export const linkSchema = z.strictObject({
  transaction_id: transactionId,
  link_request: listOf(
    z.strictObject({
      ...item,
      fa: addressPartsSchema,
      name: z.string().max(256).nullish(),
      additional_info: z.array(z.record(z.string(), z.unknown())).nullish(),
      locale,
    }),
    itemsMax,
  ),
});

export const unlinkSchema = z.strictObject({
  transaction_id: transactionId,
  unlink_request: listOf(z.strictObject({ ...item, locale }), itemsMax),
});

export type ResolveRequest = z.infer<typeof resolveSchema>;
export type LinkRequest = z.infer<typeof linkSchema>;
export type UnlinkRequest = z.infer<typeof unlinkSchema>;

/** What every item of an answer says. */
export interface ItemAnswer {
  reference_id: string;
  timestamp: string;
  id: string;
  fa: string | null;
  status: 'succ' | 'rjct';
  status_reason_code: string | null;
}

/** A link as it is written: an id with its address. */
export interface NewLink {
  id: string;
  name: string | null;
  address: Address;
}

type RequestItem = Pick<ItemAnswer, 'reference_id' | 'id'>;

interface FoundLink {
  id: string;
  fa: string;
  provider_name: string | null;
  provider_code: string | null;
}

/** `/resolve`: the address of every id, in the order of the request, unless the rules say otherwise. */
export async function resolve(sql: Sql, rules: Rules, request: ResolveRequest): Promise<object> {
  const ids = request.resolve_request.map((asked) => asked.id);
  const found = await sql<FoundLink[]>`
    select id, fa, provider_name, provider_code from links where id = any(${ids})`;
  const linkById = new Map(found.map((link) => [link.id, link]));
  const resolve_response = request.resolve_request.map((asked) => {
    const link = linkById.get(asked.id);
    if (link === undefined) return { ...rejected(asked, 'rjct.id.not_found'), account_provider_info: null };
    const provider = link.provider_code;
    return {
      ...succeeded(asked, link.fa),
      account_provider_info:
        provider === null ? null : { name: link.provider_name ?? provider, code: provider },
    };
  });
  return { transaction_id: request.transaction_id, resolve_response: rules.spoil(resolve_response) };
}

/**
 * `/link`: gives ids their addresses. An id that has another address already is refused; the same address
 * again is a success, so that a request may be repeated.
 */
export async function link(sql: Sql, request: LinkRequest): Promise<object> {
  const addresses = request.link_request.map((asked) => toAddress(asked.fa));
  const links = request.link_request.flatMap((asked, index): NewLink[] => {
    const address = addresses[index];
    return address !== undefined && 'value' in address
      ? [{ id: asked.id, name: asked.name ?? null, address: address.value }]
      : [];
  });
  const kept = await insertLinks(sql, links);
  const link_response = request.link_request.map((asked, index) => {
    const address = addresses[index];
    if (address === undefined || 'problem' in address) return rejected(asked, 'rjct.fa.invalid');
    const { fa } = address.value;
    return kept.get(asked.id) === fa ? succeeded(asked, fa) : rejected(asked, 'rjct.id.already_linked');
  });
  return { transaction_id: request.transaction_id, link_response };
}

/** `/unlink`: takes ids their addresses away. */
export async function unlink(sql: Sql, request: UnlinkRequest): Promise<object> {
  const ids = request.unlink_request.map((asked) => asked.id);
  const removed = await sql<{ id: string; fa: string }[]>`
    delete from links where id = any(${ids}) returning id, fa`;
  const faById = new Map(removed.map((row) => [row.id, row.fa]));
  const unlink_response = request.unlink_request.map((asked) => {
    const fa = faById.get(asked.id);
    return fa === undefined ? rejected(asked, 'rjct.id.not_found') : succeeded(asked, fa);
  });
  return { transaction_id: request.transaction_id, unlink_response };
}

/** Every item refused, for the fault of that name. */
export function refuseAll(items: readonly RequestItem[]): ItemAnswer[] {
  return items.map((asked) => rejected(asked, 'rjct.unknown.retry'));
}

/** Writes links over whatever is there; of several for one id the last one counts. */
export async function replaceLinks(sql: Sql, links: readonly NewLink[]): Promise<void> {
  const last = [...new Map(links.map((link) => [link.id, link])).values()];
  await sql`
    insert into links (id, fa, name, provider_name, provider_code) ${newRows(sql, last)}
    on conflict (id) do update
    set fa = excluded.fa, name = excluded.name, provider_name = excluded.provider_name,
        provider_code = excluded.provider_code, linked_at = now()`;
}

/** Writes the links whose ids have none yet. @returns the address that each of the ids has now */
async function insertLinks(sql: Sql, links: readonly NewLink[]): Promise<Map<string, string>> {
  await sql`
    insert into links (id, fa, name, provider_name, provider_code) ${newRows(sql, links)}
    on conflict (id) do nothing`;
  const rows = await sql<{ id: string; fa: string }[]>`
    select id, fa from links where id = any(${links.map((link) => link.id)})`;
  return new Map(rows.map((row) => [row.id, row.fa]));
}

/** The links in the order of their ids, so that two writers never wait for each other in a circle. */
function newRows(sql: Sql, links: readonly NewLink[]) {
  return sql`
    select * from unnest(
      ${links.map((link) => link.id)}::text[], ${links.map((link) => link.address.fa)}::text[],
      ${links.map((link) => link.name)}::text[], ${links.map((link) => link.address.providerName)}::text[],
      ${links.map((link) => link.address.providerCode)}::text[]
    ) as new (id, fa, name, provider_name, provider_code) order by id collate "C"`;
}

function succeeded(asked: RequestItem, fa: string): ItemAnswer {
  return { ...answered(asked), fa, status: 'succ', status_reason_code: 'succ.id.active' };
}

function rejected(asked: RequestItem, code: string): ItemAnswer {
  return { ...answered(asked), fa: null, status: 'rjct', status_reason_code: code };
}

function answered(asked: RequestItem) {
  return { reference_id: asked.reference_id, timestamp: new Date().toISOString(), id: asked.id };
}
