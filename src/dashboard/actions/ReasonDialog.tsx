import { type ReactNode, useState } from 'react';
import { Button, Dialog, Problem } from '../ui/index.ts';
import './actions.css';
import { ReasonField } from './ReasonField.tsx';
import { reasonFault } from './reason.ts';

interface Props {
  readonly title: string;
  /** What will happen, and what that means. */
  readonly body?: ReactNode;
  /** What the button says: the verb itself, not "OK". */
  readonly confirmLabel: string;
  /** Whether it cannot be undone. */
  readonly danger?: boolean;
  /** Does it; what it throws is shown, and the dialog stays for another try. */
  readonly onConfirm: (reason: string) => Promise<void>;
  readonly onClose: () => void;
}

/** Asks for the reason of an action and does it. */
export function ReasonDialog({ title, body, confirmLabel, danger = false, onConfirm, onClose }: Props) {
  const [reason, setReason] = useState('');
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  const confirm = async (): Promise<void> => {
    setChecked(true);
    if (reasonFault(reason) !== null) return;
    setBusy(true);
    setError(null);
    try {
      await onConfirm(reason.trim());
      onClose();
    } catch (thrown) {
      setError(thrown);
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="action-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void confirm();
        }}
      >
        {body === undefined ? null : <div className="action-body">{body}</div>}
        <ReasonField value={reason} onChange={setReason} checked={checked} disabled={busy} />
        {error === null ? null : <Problem error={error} />}
        <div className="action-buttons">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} disabled={busy}>
            {busy ? 'One moment…' : confirmLabel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
