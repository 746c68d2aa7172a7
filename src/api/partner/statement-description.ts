import { z } from 'zod';
import type { Mt940ErrorCode } from '../../connectors/mt940/error.ts';
import { instant, tally, textOrNull } from './answer-fields.ts';

/** What `/upload_mt940` takes and answers; its published description is made of it. */
export interface UploadDescription {
  readonly path: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** The field of the form that has the file. */
  readonly field: string;
  /** Of `response_payload` on SUCCESS. */
  readonly answer: z.ZodType;
  /** The refusals it can give by rules of its own. */
  readonly codes: readonly string[];
}

/** What `/upload_mt940` answers: the statements of the file, all of which are there now. */
export const uploadAnswer = z.object({
  statement_id: z.string().describe('Of the first statement of the file.'),
  already_uploaded: z
    .boolean()
    .describe('True when all of them were there before; nothing has been added then.'),
  message: z.string(),
  statements: z
    .array(
      z.object({
        statement_id: z.string(),
        account_number: z.string(),
        reference_number: z.string(),
        statement_number: z.string(),
        sequence_number: textOrNull,
        number_of_entries: tally,
        already_uploaded: z.boolean(),
        uploaded_at: instant.describe('When it came for the first time.'),
      }),
    )
    .describe('In the order of the file; most files have one.'),
});

const MT940_CODES: Readonly<Record<Mt940ErrorCode, true>> = {
  MT940_NOT_MT940: true,
  MT940_BAD_ENVELOPE: true,
  MT940_BAD_ENCODING: true,
  MT940_LINE_TOO_LONG: true,
  MT940_TOO_MANY_LINES: true,
  MT940_TOO_MANY_STATEMENTS: true,
  MT940_MISSING_TAG: true,
  MT940_UNEXPECTED_TAG: true,
  MT940_UNEXPECTED_TEXT: true,
  MT940_BAD_TAG: true,
  MT940_BAD_AMOUNT: true,
  MT940_BAD_DATE: true,
  MT940_BAD_MARK: true,
  MT940_CURRENCY_MISMATCH: true,
  MT940_BALANCE_MISMATCH: true,
  MT940_TRUNCATED: true,
};

export const STATEMENT_UPLOAD = {
  path: '/upload_mt940',
  summary: 'Takes bank statements, an MT940 file',
  field: 'statement_file',
  answer: uploadAnswer,
  codes: Object.keys(MT940_CODES),
} as const satisfies UploadDescription;
