import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type forge from 'node-forge';

/** What a PKCS#12 file holds, as far as signing needs it. */
export interface Pkcs12Content {
  /** Every private key. */
  readonly keys: readonly KeyObject[];
  /** Every certificate that can be read. */
  readonly certificates: readonly X509Certificate[];
}

/** Why a PKCS#12 file gives nothing. */
export type Pkcs12Problem =
  /** The password does not open it. */
  | 'password'
  /** It is damaged, no PKCS#12 file, or encrypted in a way that cannot be read. */
  | 'content';

type Forge = typeof forge;
type Bag = forge.pkcs12.Bag;

/**
 * Opens a PKCS#12 file: as OpenSSL 3 writes it (PBES2 with AES-256, SHA-256 MAC) and in the older ways (3DES, RC2,
 * SHA-1 MAC).
 *
 * @param der the file
 * @param password in ASCII; empty for a file without one
 */
export async function readPkcs12(der: Buffer, password: string): Promise<Pkcs12Content | Pkcs12Problem> {
  // A tenth of a second to load, which only those pay who have such a file.
  const { default: library } = await import('node-forge');
  const opened = open(library, der, password);
  if (typeof opened === 'string') return opened;
  const bags = opened.safeContents.flatMap(({ safeBags }) => safeBags);
  const { pkcs8ShroudedKeyBag, keyBag, certBag } = library.pki.oids;
  try {
    return {
      keys: bags
        .filter(({ type }) => type === pkcs8ShroudedKeyBag || type === keyBag)
        .map((bag) => createPrivateKey({ key: keyDer(library, bag), format: 'der', type: 'pkcs8' })),
      certificates: bags
        .filter(({ type }) => type === certBag)
        .map((bag) => new X509Certificate(certificateDer(library, bag))),
    };
  } catch {
    return 'content';
  }
}

/** The library tells a wrong password from a damaged file by the words of its errors only. */
function open(library: Forge, der: Buffer, password: string): forge.pkcs12.Pkcs12Pfx | Pkcs12Problem {
  try {
    return library.pkcs12.pkcs12FromAsn1(library.asn1.fromDer(der.toString('binary')), password);
  } catch (error) {
    return error instanceof Error &&
      /MAC could not be verified|wrong password|Failed to decrypt/i.test(error.message)
      ? 'password'
      : 'content';
  }
}

/** The library reads RSA keys into its own form and hands on others, such as those on curves, as they are. */
function keyDer({ asn1, pki }: Forge, bag: Bag): Buffer {
  const info = bag.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key)) : bag.asn1;
  return Buffer.from(asn1.toDer(info).getBytes(), 'binary');
}

function certificateDer({ asn1, pki }: Forge, bag: Bag): Buffer {
  const certificate = bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1;
  return Buffer.from(asn1.toDer(certificate).getBytes(), 'binary');
}
