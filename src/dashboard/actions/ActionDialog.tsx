import { useEffect, useRef, useState } from 'react';
import type { WorkActionAnswer, WorkPreviewAnswer, WorkTarget } from '../../api/operator/wire/actions.ts';
import { act, request, useSession } from '../api.ts';
import { counted } from '../text.ts';
import { Button, Dialog, Loading, Problem } from '../ui/index.ts';
import './actions.css';
import { ReasonField } from './ReasonField.tsx';
import { reasonFault } from './reason.ts';
import { type Outcome, runAction } from './run.ts';
import {
  ACTION_EFFECTS,
  ACTION_LABELS,
  MONEY_OUT_WARNING,
  moneyWarning,
  outcomeSentences,
  targetWords,
  type WorkActionKind,
} from './words.ts';

interface Props {
  readonly action: WorkActionKind;
  readonly target: WorkTarget;
  readonly onClose: () => void;
}

/**
 * Retries, releases or dispatches records: shows first how many there are, asks why, and goes on until all of them have
 * been asked.
 */
export function ActionDialog({ action, target, onClose }: Props) {
  const preview = usePreview(action, target);
  const { outcome, error, run, stop } = useRun(action);
  const isRunning = outcome?.ended === 'running' && error === null;
  return (
    // Whoever closes it in the middle stops it, and sees first what has been done.
    <Dialog title={`${ACTION_LABELS[action]} ${targetWords(target)}`} onClose={isRunning ? stop : onClose}>
      <p className="action-body">{ACTION_EFFECTS[action]}</p>
      {preview.error === null ? null : <Problem error={preview.error} />}
      {preview.answer === null && preview.error === null ? <Loading /> : null}
      {preview.answer !== null && outcome === null ? (
        <Ask action={action} target={target} preview={preview.answer} onRun={run} onClose={onClose} />
      ) : null}
      {outcome === null ? null : (
        <Told
          action={action}
          outcome={outcome}
          total={preview.answer?.matching ?? 0}
          isRunning={isRunning}
          onStop={stop}
          onClose={onClose}
        />
      )}
      {error === null ? null : <Problem error={error} />}
    </Dialog>
  );
}

interface Preview {
  readonly answer: WorkPreviewAnswer | null;
  readonly error: unknown;
}

/** How many records it is for, and who may do it. */
function usePreview(action: WorkActionKind, target: WorkTarget): Preview {
  const [preview, setPreview] = useState<Preview>({ answer: null, error: null });
  const asked = JSON.stringify({ action, target });
  useEffect(() => {
    let wanted = true;
    const headers = { 'content-type': 'application/json' };
    request<WorkPreviewAnswer>('/operator/actions/preview', { method: 'POST', headers, body: asked }).then(
      (answer) => wanted && setPreview({ answer, error: null }),
      (error: unknown) => wanted && setPreview({ answer: null, error }),
    );
    return () => {
      wanted = false;
    };
  }, [asked]);
  return preview;
}

/** Does it part by part. */
function useRun(action: WorkActionKind) {
  const stopping = useRef(new AbortController());
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [error, setError] = useState<unknown>(null);
  // Whoever leaves the page in the middle does not want the rest done unseen.
  useEffect(() => () => stopping.current.abort(), []);
  const run = async (target: WorkTarget, reason: string): Promise<void> => {
    setError(null);
    setOutcome({ accepted: 0, refused: 0, remaining: 0, ended: 'running' });
    try {
      const once = () => act<WorkActionAnswer>(`/operator/actions/${action}`, { target, reason });
      await runAction(once, setOutcome, stopping.current.signal);
    } catch (thrown) {
      setError(thrown);
    }
  };
  return { outcome, error, run, stop: () => stopping.current.abort() };
}

interface AskProps {
  readonly action: WorkActionKind;
  readonly target: WorkTarget;
  readonly preview: WorkPreviewAnswer;
  readonly onRun: (target: WorkTarget, reason: string) => Promise<void>;
  readonly onClose: () => void;
}

function Ask({ action, target, preview, onRun, onClose }: AskProps) {
  const { whyNot } = useSession();
  const [reason, setReason] = useState('');
  const [checked, setChecked] = useState(false);
  const label = ACTION_LABELS[action];
  const forbidden = whyNot(preview.payer_only ? 'payer' : 'operator');
  const isOut = preview.payer_only && action !== 'release';
  const warning = moneyWarning(target.code) ?? (isOut ? MONEY_OUT_WARNING : null);
  if (preview.matching === 0) {
    return (
      <div className="action-form">
        <p role="status">There is nothing to do any more: no record is in that state now.</p>
        <div className="action-buttons">
          <Button onClick={onClose}>Close</Button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="action-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setChecked(true);
        if (forbidden !== null || reasonFault(reason) !== null) return;
        // What has come to stand there since it was counted is left alone.
        void onRun({ ...target, as_of: preview.as_of }, reason.trim());
      }}
    >
      <p className="action-count">
        <strong>{counted(preview.matching, 'record')}</strong> will be asked.
      </p>
      {warning === null ? null : <p className="action-warning">{warning}</p>}
      {forbidden === null ? (
        <ReasonField value={reason} onChange={setReason} checked={checked} />
      ) : (
        <p className="action-forbidden">{forbidden}</p>
      )}
      <div className="action-buttons">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          kind={action === 'release' ? 'danger' : 'primary'}
          disabled={forbidden !== null}
        >
          {`${label} ${counted(preview.matching, 'record')}`}
        </Button>
      </div>
    </form>
  );
}

interface ToldProps {
  readonly action: WorkActionKind;
  readonly outcome: Outcome;
  /** Records counted before it began. */
  readonly total: number;
  readonly isRunning: boolean;
  readonly onStop: () => void;
  readonly onClose: () => void;
}

function Told({ action, outcome, total, isRunning, onStop, onClose }: ToldProps) {
  const asked = outcome.accepted + outcome.refused;
  return (
    <div className="action-form">
      {isRunning ? (
        <label className="action-progress">
          {`${counted(asked, 'record')} of ${Math.max(total, asked)} asked`}
          <progress max={Math.max(total, asked, 1)} value={asked} />
        </label>
      ) : (
        <div role="status" className="action-outcome">
          {outcomeSentences(action, outcome).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      )}
      <div className="action-buttons">
        {isRunning ? <Button onClick={onStop}>Stop</Button> : <Button onClick={onClose}>Close</Button>}
      </div>
    </div>
  );
}
