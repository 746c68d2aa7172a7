import { useState } from 'react';
import type { EnvelopeDetail } from '../../api/operator/wire/envelopes.ts';
import { ReasonDialog } from '../actions/ReasonDialog.tsx';
import { act, useSession } from '../api.ts';
import { announce, Button } from '../ui/index.ts';

/** Cancels an envelope while that is still possible. */
export function CancelButton({ envelope }: { readonly envelope: EnvelopeDetail }) {
  const { whyNot } = useSession();
  const [asking, setAsking] = useState(false);
  if (envelope.state === 'cancelled') return null;
  const refused =
    whyNot('operator') ??
    (envelope.cancellable
      ? null
      : 'It can no longer be cancelled: payments have been sent, or it is complete.');
  return (
    <>
      <Button kind="danger" whyNot={refused} onClick={() => setAsking(true)}>
        Cancel envelope
      </Button>
      {asking ? (
        <ReasonDialog
          title="Cancel this envelope?"
          body={
            <p>
              None of its disbursements will be paid or delivered, and funds that are blocked for it are given
              back. This cannot be undone.
            </p>
          }
          confirmLabel="Cancel envelope"
          danger
          onClose={() => setAsking(false)}
          onConfirm={async (reason) => {
            await act(`/operator/envelopes/${encodeURIComponent(envelope.id)}/cancel`, { reason });
            announce('The envelope is cancelled.');
          }}
        />
      ) : null}
    </>
  );
}
