import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { z } from 'zod';
import { HttpError } from '../errors.ts';
import type { PartnerContext } from '../options.ts';
import { Refusal } from './message.ts';
import { SIGNATURE_INVALID, SignatureUncheckedRefusal } from './signature/invalid.ts';
import { partnerOf } from './signature/key-source.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes of a JSON body until its signature has been checked; null where signatures are not. */
    bodyBytes: Buffer | null;
  }
}

type Trust = Pick<PartnerContext, 'signatures' | 'limits'>;

/**
 * Refuses what need not be read. Where requests are signed, a client address has a share of requests without a valid
 * signature only, and a partner one of those with: nobody uses up a partner's share by using its name.
 */
export function beforeBody({ signatures, limits }: Trust): onRequestAsyncHookHandler {
  return async (request, reply) => {
    if (signatures === null) await limits?.countAddress(request, reply);
    else await limits?.requireRoom(request, reply);
  };
}

/**
 * Lets a request through that its sender has signed, or any where signatures are not checked.
 *
 * @returns SHA-256 (hexadecimal) of what was signed; null where signatures are not checked
 * @throws Refusal `rjct.jwt.invalid`; HttpError 429 when the sender has had its share
 */
export async function admit(
  { signatures, limits }: Trust,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string | null> {
  if (signatures === null) return null;
  const { bodyBytes: body, headers } = request;
  request.bodyBytes = null;
  if (body === null) throw new TypeError('The body of a request to be checked was not kept.');
  const sender = senderOf(request.body);
  let signed: string;
  try {
    const signature = headers.signature === undefined ? undefined : String(headers.signature);
    signed = await signatures.verify({ signature, body, sender });
  } catch (error) {
    if (error instanceof SignatureUncheckedRefusal) throw error;
    if (error instanceof Refusal && error.code === SIGNATURE_INVALID) {
      // Neither the body nor the signature; the sender is as long as it can be looked up, and only claimed.
      const claimed = partnerOf(sender);
      request.log.warn(
        { claimed_partner: claimed, ip: request.ip, reason: error.message },
        'Signature refused',
      );
      await limits?.countAddress(request, reply);
    }
    throw error;
  }
  await limits?.countPartner(request, reply, partnerOf(sender) ?? '');
  return signed;
}

const signed = z.object({ request_header: z.object({ sender_app_mnemonic: z.string() }) });

function senderOf(body: unknown): string | null {
  const parsed = signed.safeParse(body);
  return parsed.success ? parsed.data.request_header.sender_app_mnemonic : null;
}

/**
 * Lets uploads through that carry the token (RFC 6750).
 *
 * @param token empty lets everything through
 */
export function requireBearer(token: string): onRequestAsyncHookHandler {
  const expected = digest(token);
  return async (request, reply) => {
    if (token === '') return;
    const [, given = ''] = /^Bearer +(\S.*)$/i.exec(request.headers.authorization ?? '') ?? [];
    if (timingSafeEqual(digest(given.trimEnd()), expected)) return;
    // The rest of the request is read and dropped, so that the sender gets to read the answer.
    reply.header('www-authenticate', 'Bearer');
    throw new HttpError(
      401,
      'UPLOAD_NOT_AUTHORIZED',
      'The upload needs the header Authorization with the right token.',
    );
  };
}

/** Of one length whatever is given, so that the comparison takes one time. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
