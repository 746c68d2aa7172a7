import type { RequestAuthorizer, RequestSigner } from '../mapper-connector.ts';
import { createKeyManagerSigner, type KeyManagerSettings } from './key-manager.ts';
import { localSigner } from './local-signer.ts';
import { createOAuthAuthorizer, type OAuthSettings } from './oauth.ts';
import { readSigningKey, type SigningKeyFile } from './signing-key.ts';

/** By what the mapper knows that a request is ours. */
export interface TrustSettings {
  /** What signs requests; null: they go unsigned. */
  readonly signing:
    | { readonly kind: 'key_file'; readonly file: SigningKeyFile }
    | { readonly kind: 'key_manager'; readonly keyManager: Omit<KeyManagerSettings, 'authorizer'> }
    | null;
  /** Where tokens for the mapper and the key manager come from; null: requests carry none. */
  readonly oauth: OAuthSettings | null;
}

/** What a mapper connector is created with besides. */
export interface Trust {
  /** Members are there only when they are to be used. */
  readonly settings: { readonly signer?: RequestSigner; readonly authorizer?: RequestAuthorizer };
  /** Closes connections; called once, when no call is under way. */
  close(): Promise<void>;
}

/**
 * Makes the signer and the authorizer of requests to the mapper. Reads the key file; nobody is contacted yet.
 *
 * @throws ConnectorError SIGNING_KEY_UNUSABLE in one line that names the setting
 */
export async function openTrust({ signing, oauth }: TrustSettings): Promise<Trust> {
  const localKey = signing?.kind === 'key_file' ? await readSigningKey(signing.file) : null;
  const authorizer = oauth === null ? undefined : createOAuthAuthorizer(oauth);
  const keyManager =
    signing?.kind === 'key_manager' ? createKeyManagerSigner({ ...signing.keyManager, authorizer }) : null;
  const signer = localKey === null ? keyManager : localSigner(localKey);
  return {
    settings: { ...(signer && { signer }), ...(authorizer && { authorizer }) },
    async close() {
      await keyManager?.close();
      await authorizer?.close();
    },
  };
}
