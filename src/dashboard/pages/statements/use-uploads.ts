import { useRef, useState } from 'react';
import type { Uploaded } from '../../../api/operator/wire/statements.ts';
import { ApiProblem, send } from '../../api.ts';
import { announce } from '../../ui/index.ts';
import { type Upload, uploadSentence } from './uploads.ts';

/** As `/upload_mt940` has it. */
const FIELD = 'statement_file';
/** Results shown at most. */
const SHOWN_MAX = 20;

/** Sends files one after the other, so that a server with little memory refuses none of them. */
export function useUploads() {
  const [uploads, setUploads] = useState<readonly Upload[]>([]);
  const last = useRef<Promise<void>>(Promise.resolve());
  const nextKey = useRef(0);

  const become = (key: number, status: Upload['status']): void =>
    setUploads((before) => before.map((one) => (one.key === key ? { ...one, status } : one)));

  const upload = (files: readonly File[], reason: string): void => {
    const added = files.map((file) => {
      nextKey.current += 1;
      return { key: nextKey.current, file };
    });
    setUploads((before) =>
      [
        ...added.map(({ key, file: { name, size } }) => ({
          key,
          name,
          bytes: size,
          status: { kind: 'waiting' } as const,
        })),
        ...before,
      ].slice(0, SHOWN_MAX),
    );
    for (const { key, file } of added) {
      last.current = last.current.then(async () => {
        become(key, { kind: 'sending' });
        become(key, await sendOne(file, reason));
      });
    }
  };
  return { uploads, upload };
}

async function sendOne(file: File, reason: string): Promise<Upload['status']> {
  const form = new FormData();
  // What comes behind the file is not read.
  if (reason !== '') form.append('reason', reason);
  form.append(FIELD, file, file.name);
  try {
    const uploaded = await send<Uploaded>('/operator/statements', form);
    announce(`${file.name}: ${uploadSentence(uploaded)}`);
    return { kind: 'stored', uploaded };
  } catch (error) {
    const known = error instanceof ApiProblem;
    const sentence = known ? error.message : 'The file could not be read. Choose it again.';
    announce(`${file.name} was refused: ${sentence}`);
    return { kind: 'refused', sentence, code: known ? error.code : 'FILE_UNREADABLE' };
  }
}
