import { createHash } from 'node:crypto';

/**
 * A UUID that always is the same for the same parts, and another for any others: version 8 (RFC 9562), made of their
 * SHA-256. So a submission that is made again carries the ids of the first time, which is what makes it harmless.
 *
 * @param kind what the id is of, so that an envelope and a batch never share one
 */
export function stableId(kind: string, parts: readonly (string | number | null)[]): string {
  const bytes = createHash('sha256')
    .update(JSON.stringify([kind, ...parts]))
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
