import { stageSettings } from '../config.ts';
import type { Outcome, Stage, Work } from '../runtime/stage.ts';
import { envelopeActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { payingEnvelope } from './sponsor-bank.ts';

/**
 * Has the sponsor bank give back what it blocked for an envelope that was cancelled, or whose totals have changed since.
 *
 * Due when there is such a block; no task pair of the specification, which leaves the money blocked. Giving back twice is
 * harmless, so a lost answer is simply asked for again. A bank that cannot be told leaves the stage in ERROR with
 * RELEASE_NOT_SUPPORTED, for a person to free the block there and release the stage.
 */
export function releaseFundsWithBank(context: StageContext): Stage {
  return {
    name: 'release_funds_with_bank',
    actor: envelopeActor,
    region: 'funds_released',
    ...stageSettings(context.config, 'release_funds_with_bank'),
    concurrency: context.config.worker_concurrency,
    perform: (work) => giveBack(context, work),
  };
}

async function giveBack(context: StageContext, work: Work): Promise<Outcome> {
  const { bank, account, bankCode } = await payingEnvelope(context, work.id);
  const blockReference = await referenceOf(context, work.id);
  if (blockReference === null) return { kind: 'succeeded' };
  if (!bank.releaseBlock) {
    return {
      kind: 'failed',
      code: 'RELEASE_NOT_SUPPORTED',
      message:
        `The connector to ${bankCode} cannot give back block ${blockReference} of envelope ${work.id}; ` +
        'have the bank free it, then release this stage.',
      final: true,
    };
  }
  // Another one each time: a bank may remember a refusal under its key, and releasing twice is harmless.
  const idempotencyKey = `${work.id}-release-${blockReference}-${work.now().getTime()}`;
  await bank.releaseBlock({ ...account, blockReference, idempotencyKey }, { signal: work.signal });
  return { kind: 'succeeded' };
}

async function referenceOf({ database }: StageContext, envelopeId: string): Promise<string | null> {
  const [row] = await database.sql<{ reference: string | null }[]>`
    select funds_released_reference_number as reference
    from envelope_batch_status_for_cash where disbursement_envelope_id = ${envelopeId}`;
  return row?.reference ?? null;
}
