import type { PartnerContext } from '../options.ts';
import { Refusal } from './message.ts';
import { SIGNATURE_INVALID } from './signature/invalid.ts';

/** Forgotten for every request, at most: more than one, so that the table shrinks to the window. */
const FORGOTTEN_AT_ONCE = 10;

/**
 * Refuses a signed request that has come before at another path. A signature covers the body only: without this, whoever
 * got hold of the announcement of an envelope could send it as its cancellation.
 *
 * @param digest of the bytes that were signed
 * @throws Refusal `rjct.jwt.invalid`
 */
export async function requireSamePath(
  { database: { sql }, clock, replayWindowMs }: PartnerContext,
  digest: string,
  path: string,
): Promise<void> {
  const now = clock.now();
  const since = new Date(now.getTime() - replayWindowMs);
  const [first] = await sql<{ path: string }[]>`
    insert into partner_signed_requests as r (digest, path, received_at) values (${digest}, ${path}, ${now})
    on conflict (digest) do update set
      path = case when r.received_at < ${since} then excluded.path else r.path end,
      received_at = case when r.received_at < ${since} then excluded.received_at else r.received_at end
    returning path`;
  if (first?.path !== path) {
    throw new Refusal(
      SIGNATURE_INVALID,
      `The same signed request was sent to ${first?.path ?? 'another path'} before.`,
    );
  }
  await sql`
    delete from partner_signed_requests where ctid = any(array(
      select ctid from partner_signed_requests where received_at < ${since}
      order by received_at limit ${FORGOTTEN_AT_ONCE} for update skip locked))`;
}
