import { type FormEvent, useEffect, useState } from 'react';
import type { AccessOnWire } from '../../api/operator/wire/access.ts';
import { keepCredential } from '../credential.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { beginSignIn, SignInError } from './oidc.ts';

interface Props {
  readonly access: AccessOnWire;
  /** Why the operator is here, or what did not work. */
  readonly message: string | null;
  /** Asks the server again with what there is; null when there is nothing to ask with. */
  readonly onRetry: (() => void) | null;
}

/** How to sign in, as this deployment has it. */
export function SignIn({ access, message, onRetry }: Props) {
  useEffect(() => {
    document.title = 'Sign in · G2P Bridge';
  }, []);
  return (
    <main className="gate">
      <div className="gate-card">
        <h1>G2P Bridge</h1>
        <p className="muted">Disbursements of benefit payments, for the people who run them.</p>
        {message === null ? null : (
          <p className="gate-message" role="alert">
            {message}
          </p>
        )}
        {access.kind === 'token' ? <TokenForm /> : null}
        {access.oidc === null ? null : <ProviderButton provider={access.oidc} />}
        {access.kind === 'loopback' ? (
          <p>This server serves operators on its own machine only. Open this page there.</p>
        ) : null}
        {onRetry === null ? null : (
          <p className="gate-retry">
            <Button onClick={onRetry}>Try again</Button>
          </p>
        )}
      </div>
    </main>
  );
}

/** A token is kept for this tab and sent in a header; it never becomes part of an address. */
function TokenForm() {
  const [token, setToken] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const bearer = token.trim();
    // What no header can carry is no token.
    if (!/^[\x21-\x7e]+$/.test(bearer)) {
      setFault('Paste the whole token: letters, digits and signs, without spaces.');
      return;
    }
    keepCredential({ bearer, expiresAt: null });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Field
        label="Access token"
        help="It was printed when the server first started. More are made with g2p-bridge tokens create."
        fault={fault}
      >
        {(field) => (
          <input
            {...field}
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            required
            value={token}
            onChange={(event) => {
              setToken(event.target.value);
              setFault(null);
            }}
          />
        )}
      </Field>
      <Button kind="primary" type="submit">
        Sign in
      </Button>
    </form>
  );
}

function ProviderButton({ provider }: { readonly provider: NonNullable<AccessOnWire['oidc']> }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const begin = (): void => {
    setBusy(true);
    setFault(null);
    beginSignIn(provider).catch((cause: unknown) => {
      setFault(cause instanceof SignInError ? cause.message : 'Signing in could not be begun. Try again.');
      setBusy(false);
    });
  };
  return (
    <>
      {fault === null ? null : (
        <p className="gate-message" role="alert">
          {fault}
        </p>
      )}
      <Button kind="primary" onClick={begin} disabled={busy}>
        {busy ? 'One moment…' : 'Sign in'}
      </Button>
      <p className="muted small">You sign in at {new URL(provider.issuer).host} and come back here.</p>
    </>
  );
}
