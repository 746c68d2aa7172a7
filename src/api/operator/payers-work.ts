import { quoted } from '../../db/bulk.ts';
import type { StageView } from '../../runtime/codec.ts';
import type { StageInfo } from './stages.ts';
import { PAYER_CODES } from './wire/actions.ts';

/**
 * The condition that money of a record may be out: it has been submitted to the bank, whatever became of the attempt
 * afterwards. Null for stages that pay nobody.
 *
 * @param prefix of the column: `t.`
 */
export function isSubmittedText({ payerOnly, region }: StageInfo, prefix = ''): string | null {
  const column = region.columns.submitted_at;
  return payerOnly && column !== null ? `${prefix}${quoted(column)} is not null` : null;
}

/** Whether only a payer may decide about a record: nobody knows whether, or to whom, its money went. */
export const isPayersWork = (
  { payerOnly }: StageInfo,
  { errorCode, submittedAt }: Pick<StageView, 'errorCode' | 'submittedAt'>,
): boolean => (errorCode !== null && PAYER_CODES.includes(errorCode)) || (payerOnly && submittedAt !== null);
