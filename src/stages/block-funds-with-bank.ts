import { stageSettings } from '../config.ts';
import type { BlockOutcome } from '../connectors/bank/bank-connector.ts';
import type { Outcome, Stage, Submission, Work } from '../runtime/stage.ts';
import { envelopeActor } from './actors.ts';
import { BLOCKS, mayBeForgotten, type Restore, restoreOf } from './after-restore.ts';
import type { StageContext } from './context.ts';
import { type PayingEnvelope, payingEnvelope } from './sponsor-bank.ts';
import { unsent } from './unsent.ts';

/** How often one attempt sends a block whose outcome is unknown again, where the bank recognises its key. */
const SENDS_MAX = 3;

/**
 * Stage 3: has the sponsor bank reserve the envelope's money.
 *
 * Due when the funds are available. The key of the block is stored before the call, so that a block whose answer was
 * lost is never made twice: it is sent again under its key where the bank recognises keys, and waits for a person
 * where it does not. When it succeeds, the batches of the envelope may be paid.
 */
export function blockFundsWithBank(context: StageContext): Stage {
  return {
    name: 'block_funds_with_bank',
    actor: envelopeActor,
    region: 'funds_blocked',
    ...stageSettings(context.config, 'block_funds_with_bank'),
    concurrency: context.config.worker_concurrency,
    async perform(work) {
      const paying = await payingEnvelope(context, work.id);
      const submission = await work.submitting();
      if (paying.bank.blockIsIdempotent) return send(work, paying, submission);
      if (submission.maybeSent) return outcomeUnknown(work.id, { final: true });
      if (await isForgotten(context, work))
        return mayBeForgotten(BLOCKS, `blocked the funds of envelope ${work.id}`);
      return send(work, paying, submission);
    },
  };
}

/** Whether the block may have been made without the database knowing of it any more, which was restored from a backup. */
async function isForgotten({ database }: StageContext, work: Work): Promise<boolean> {
  const { sql } = database;
  const [row] = await sql<{ restore: Restore | null }[]>`
    select ${restoreOf(sql, BLOCKS, work.now())} as restore
    from disbursement_envelopes e where e.id = ${work.id}`;
  return row?.restore?.mayBeForgotten ?? false;
}

async function send(work: Work, paying: PayingEnvelope, submission: Submission): Promise<Outcome> {
  const { bank, envelope, account } = paying;
  const block = () =>
    bank.blockFunds(
      {
        ...account,
        amount: envelope.total_disbursement_quantity,
        idempotencyKey: `${work.id}-block-${submission.number}`,
      },
      { signal: work.signal },
    );
  let answer: BlockOutcome;
  try {
    answer = await block();
  } catch (error) {
    return unsent(error, submission);
  }
  for (
    let sends = 1;
    answer.outcome === 'unknown' && bank.blockIsIdempotent && sends < SENDS_MAX;
    sends += 1
  ) {
    answer = await block();
  }
  return outcomeOf(work.id, paying, answer);
}

function outcomeOf(envelopeId: string, { bank }: PayingEnvelope, answer: BlockOutcome): Outcome {
  switch (answer.outcome) {
    case 'accepted':
      return { kind: 'succeeded', event: { reference: answer.blockReference } };
    case 'refused':
      return { kind: 'refused', code: answer.code, message: answer.message };
    case 'unknown':
      return outcomeUnknown(
        envelopeId,
        bank.blockIsIdempotent ? { until: answer.notBefore } : { final: true },
      );
  }
}

/**
 * @param final nobody but a person can find out
 * @param until when the bank, which is out of order as a whole, is to be asked again
 */
function outcomeUnknown(
  envelopeId: string,
  { final = false, until }: { readonly final?: boolean; readonly until?: Date | undefined },
): Outcome {
  const fault = {
    code: 'BLOCK_OUTCOME_UNKNOWN',
    message: `The sponsor bank may or may not have blocked the funds of envelope ${envelopeId}.`,
  };
  return until ? { kind: 'postponed', until, ...fault } : { kind: 'failed', final, ...fault };
}
