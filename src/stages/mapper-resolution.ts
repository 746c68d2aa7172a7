import { stageSettings } from '../config.ts';
import { deconstructFa } from '../connectors/mapper/deconstruct-fa.ts';
import type { ResolveAnswer } from '../connectors/mapper/mapper-connector.ts';
import { insertRows } from '../db/bulk.ts';
import { disbursementResolutionFinancialAddress } from '../db/schema/index.ts';
import { codeOf } from '../runtime/errors.ts';
import type { Outcome, OutcomeTransaction, Stage, Work } from '../runtime/stage.ts';
import { batchActor } from './actors.ts';
import { chunksOf, eachAtMost } from './concurrency.ts';
import { type StageContext, StageError } from './context.ts';
import { type Unresolved, unresolvedFault } from './unresolved.ts';

interface ToResolve {
  readonly id: string;
  readonly beneficiary_id: string;
}

type AddressRow = typeof disbursementResolutionFinancialAddress.$inferInsert;

/**
 * Stage 1: asks the mapper where the money of each disbursement of a batch goes.
 *
 * Due when `fa_resolution` is PENDING. Only disbursements without an address are asked for, in chunks; what resolves is
 * kept, whatever becomes of the rest. When all are resolved the batch is ready to be paid; otherwise the attempt fails
 * with FA_UNRESOLVED. An operator may release a batch: what is unresolved is then left out of payment and marked.
 */
export function mapperResolution(context: StageContext): Stage {
  return {
    name: 'mapper_resolution',
    actor: batchActor,
    region: 'fa_resolution',
    ...stageSettings(context.config, 'mapper_resolution'),
    concurrency: context.config.worker_concurrency,
    perform: (work) => resolveBatch(context, work),
    async onRelease({ sql }, batchId) {
      await sql`
        update disbursements d set left_out_reason = 'FA_UNRESOLVED'
        where d.disbursement_batch_control_id = ${batchId} and d.left_out_reason is null
          and not exists (
            select from disbursement_resolution_financial_address a where a.disbursement_id = d.id
          )`;
    },
  };
}

/**
 * However large the batch, at most `mapper_concurrency` chunks are asked for at once, each answer at most
 * `mapper_response_bytes_max`; what is kept of a disbursement until all are done is its address, which has a bound too.
 */
async function resolveBatch(context: StageContext, work: Work): Promise<Outcome> {
  const { batch, missing } = await withoutAddress(context, work.id);
  const addresses: AddressRow[] = [];
  const unresolved: Unresolved[] = [];
  const faults: unknown[] = [];
  const chunks = chunksOf(missing, context.config.mapper_chunk_size);
  await eachAtMost(chunks, context.config.mapper_concurrency, async (chunk) => {
    try {
      const answers = new Map(
        (await ask(context, work, chunk)).map((answer) => [answer.referenceId, answer]),
      );
      for (const { id } of chunk) {
        const resolved = addressOf(context, id, answers.get(id));
        if ('code' in resolved) unresolved.push(resolved);
        else addresses.push({ ...resolved, ...batch });
      }
    } catch (error) {
      faults.push(error);
      for (const { id } of chunk)
        unresolved.push({ disbursementId: id, code: codeOf(error, 'MAPPER_ERROR') });
    }
  });
  const write = ({ sql }: OutcomeTransaction) =>
    insertRows(sql, disbursementResolutionFinancialAddress, addresses, 'ignore').then(() => {});
  if (unresolved.length === 0) return { kind: 'succeeded', write };
  const left = { batchId: work.id, asked: missing.length, unresolved, faults };
  return { ...unresolvedFault('FA_UNRESOLVED', 'have no address', left), write };
}

async function withoutAddress(context: StageContext, batchId: string) {
  const { sql } = context.database;
  const missing = await sql<ToResolve[]>`
    select d.id, d.beneficiary_id from disbursements d
    where d.disbursement_batch_control_id = ${batchId}
      and d.cancellation_status = 'NOT_CANCELLED' and d.left_out_reason is null
      and not exists (select from disbursement_resolution_financial_address a where a.disbursement_id = d.id)
    order by d.id`;
  const [row] = await sql<{ disbursement_envelope_id: string }[]>`
    select disbursement_envelope_id from disbursement_batch_control where id = ${batchId}`;
  if (!row) throw new StageError('BATCH_NOT_FOUND', `There is no batch ${batchId}.`, false);
  const batch = {
    disbursement_batch_control_id: batchId,
    disbursement_envelope_id: row.disbursement_envelope_id,
  };
  return { batch, missing };
}

function ask(
  context: StageContext,
  work: Work,
  chunk: readonly ToResolve[],
): Promise<readonly ResolveAnswer[]> {
  const requests = chunk.map(({ id, beneficiary_id }) => ({
    referenceId: id,
    beneficiaryId: beneficiary_id,
  }));
  return context.mapper.resolve(requests, { signal: work.signal });
}

function addressOf(
  context: StageContext,
  disbursementId: string,
  answer: ResolveAnswer | undefined,
): Omit<AddressRow, 'disbursement_batch_control_id' | 'disbursement_envelope_id'> | Unresolved {
  if (!answer || answer.fa === null)
    return { disbursementId, code: answer?.error?.code ?? 'FA_NOT_ANSWERED' };
  const parts = deconstructFa(answer.fa, context.faStrategies);
  if ('error' in parts) return { disbursementId, code: parts.error };
  const wallet = parts.walletProviderCode ?? parts.walletProviderName;
  return {
    disbursement_id: disbursementId,
    beneficiary_id: answer.beneficiaryId,
    mapper_resolved_fa: answer.fa,
    mapper_resolved_name: answer.providerName,
    mapper_resolved_fa_type: parts.faType,
    bank_account_number: parts.accountNumber,
    bank_code: parts.bankCode,
    branch_code: parts.branchCode,
    mobile_number: parts.mobileNumber,
    mobile_wallet_provider: parts.faType === 'MOBILE_WALLET' ? wallet : null,
    email_address: parts.emailAddress,
    email_wallet_provider: parts.faType === 'EMAIL_WALLET' ? wallet : null,
  };
}
