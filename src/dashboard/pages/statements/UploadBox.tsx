import { type DragEvent, useRef, useState } from 'react';
import { Link } from 'wouter';
import { useSession } from '../../api.ts';
import { bytesText } from '../../format/number.ts';
import { links } from '../../links.ts';
import { Button, Field, Icon } from '../../ui/index.ts';
import { type Upload, uploadSentence } from './uploads.ts';
import { useUploads } from './use-uploads.ts';

/** Where statement files are dropped or chosen, and what became of each. */
export function UploadBox() {
  const { whyNot } = useSession();
  const { uploads, upload } = useUploads();
  const [isOver, setIsOver] = useState(false);
  const [reason, setReason] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const forbidden = whyNot('operator');
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setIsOver(false);
    if (forbidden === null) upload([...event.dataTransfer.files], reason.trim());
  };
  return (
    <section className="upload" aria-label="Upload statements">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is for the mouse; the button does the same */}
      <div
        className={isOver && forbidden === null ? 'upload-drop upload-over' : 'upload-drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={drop}
      >
        <Icon name="statements" size={24} />
        <p>Drop MT940 files here, or choose them.</p>
        {forbidden === null ? null : <p className="muted">{forbidden}</p>}
        {forbidden === null ? (
          <Field label="Why (optional)" help="Goes into the audit log with the files.">
            {(props) => (
              <input
                {...props}
                value={reason}
                maxLength={500}
                onChange={(event) => setReason(event.target.value)}
              />
            )}
          </Field>
        ) : null}
        <Button kind="primary" whyNot={forbidden} onClick={() => input.current?.click()}>
          Choose files
        </Button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label="Statement files"
          onChange={(event) => {
            upload([...(event.target.files ?? [])], reason.trim());
            // The same file once more is another upload.
            event.target.value = '';
          }}
        />
      </div>
      {uploads.length === 0 ? null : (
        <ul className="uploads">
          {uploads.map((one) => (
            <UploadLine key={one.key} upload={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

function UploadLine({ upload: { name, bytes, status } }: { readonly upload: Upload }) {
  return (
    <li className={`upload-line upload-${status.kind}`}>
      <p>
        <strong>{name}</strong> <span className="muted">{bytesText(bytes)}</span>
      </p>
      {status.kind === 'waiting' ? <p className="muted">Waits for the one before.</p> : null}
      {status.kind === 'sending' ? <progress aria-label={`Uploading ${name}`} /> : null}
      {status.kind === 'refused' ? (
        <p className="upload-refusal">
          <Icon name="error" /> {status.sentence} <code>{status.code}</code>
        </p>
      ) : null}
      {status.kind === 'stored' ? (
        <p>
          <Icon name="done" /> {uploadSentence(status.uploaded)} <StatementLinks upload={status.uploaded} />
        </p>
      ) : null}
    </li>
  );
}

const LINKS_MAX = 3;

const StatementLinks = ({ upload: { statements } }: { readonly upload: UploadedStatements }) => (
  <>
    {statements.slice(0, LINKS_MAX).map(({ statement_id }, at) => (
      <Link key={statement_id} href={links.statement(statement_id)}>
        {statements.length === 1 ? 'Open it' : `Open ${at + 1}`}{' '}
      </Link>
    ))}
  </>
);

type UploadedStatements = Extract<Upload['status'], { kind: 'stored' }>['uploaded'];
