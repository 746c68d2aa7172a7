import { stageSettings } from '../config.ts';
import type { Stage } from '../runtime/stage.ts';
import { envelopeActor } from './actors.ts';
import type { StageContext } from './context.ts';
import { chooseSponsor, payingEnvelope } from './sponsor-bank.ts';

/**
 * Stage 2: asks the sponsor bank whether the program's account holds what the envelope needs.
 *
 * Due when all disbursements have been received and the schedule date has come, also when it was missed: a system that
 * was down on the day still pays. "Not enough" is an answer and not a fault: it is asked again at every tick.
 */
export function checkFundsWithBank(context: StageContext): Stage {
  return {
    name: 'check_funds_with_bank',
    actor: envelopeActor,
    region: 'funds_available',
    ...stageSettings(context.config, 'check_funds_with_bank'),
    concurrency: context.config.worker_concurrency,
    async perform(work) {
      const paying = await payingEnvelope(context, work.id);
      const { envelope, bank, account } = paying;
      const amount = envelope.total_disbursement_quantity;
      const { available } = await bank.checkFunds({ ...account, amount }, { signal: work.signal });
      if (available) return { kind: 'succeeded', write: ({ sql }) => chooseSponsor(sql, work.id, paying) };
      return {
        kind: 'refused',
        code: 'FUNDS_NOT_AVAILABLE',
        message: `The sponsor bank says that the account does not hold ${amount} ${account.currency} for envelope ${work.id}.`,
      };
    },
  };
}
