import { parseAdditionalInfo } from '../connectors/pbms/additional-info.ts';
import type { Work } from '../runtime/stage.ts';
import { type StageContext, StageError } from './context.ts';
import { inKindOf } from './in-kind.ts';
import type { Envelope } from './sponsor-bank.ts';

/** An agency that hands out the cash of a small zone. */
export interface PaidAgency {
  readonly administrative_zone_id_small: string;
  readonly administrative_zone_mnemonic_small: string;
  readonly agency_id: string;
  readonly agency_mnemonic: string;
  readonly agency_additional_attributes: string | null;
}

/** Where an agency is paid, by BANK, BRANCH, ACCOUNT and TYPE; there is an ACCOUNT. */
export type AgencyAccount = ReadonlyMap<string, string>;

/**
 * Finds where agencies are paid: what their additional attributes said when they were chosen
 * (`#BANK#…#BRANCH#…#ACCOUNT#…#TYPE#…`). Where that was no account, and after a refusal all of them, are looked up again,
 * since somebody may have entered or corrected it. While a payment may be out, what it was sent with stays.
 *
 * @param wasRefused an earlier attempt failed and nothing of it can have been taken
 * @returns one for each agency, in the same order
 * @throws StageError AGENCY_ACCOUNT_MISSING, IN_KIND_NOT_ENABLED; what the allocator throws
 */
export async function agencyAccounts<A extends PaidAgency>(
  context: StageContext,
  { id: batchId, signal }: Pick<Work, 'id' | 'signal'>,
  envelope: Envelope,
  agencies: readonly A[],
  wasRefused: boolean,
): Promise<readonly AgencyAccount[]> {
  const chosenWith = agencies.map((agency) => parseAdditionalInfo(agency.agency_additional_attributes ?? ''));
  const lookedUp = agencies.filter((_, n) => wasRefused || !chosenWith[n]?.has('ACCOUNT'));
  if (lookedUp.length === 0) return chosenWith;
  const zones = new Map(
    lookedUp.map((agency) => [
      agency.administrative_zone_id_small,
      agency.administrative_zone_mnemonic_small,
    ]),
  );
  const request = {
    programId: String(envelope.benefit_program_id),
    programMnemonic: envelope.benefit_program_mnemonic,
    benefitCodeId: String(envelope.benefit_code_id),
    benefitCodeMnemonic: envelope.benefit_code_mnemonic,
    zones: [...zones].map(([id, mnemonic]) => ({ id, mnemonic })),
  };
  const candidates = await inKindOf(context, batchId).agencies.candidates(request, { signal });
  return agencies.map((agency, n) => {
    const known = chosenWith[n];
    if (known?.has('ACCOUNT') && !wasRefused) return known;
    const ofZone = candidates.get(agency.administrative_zone_id_small) ?? [];
    const now = ofZone.find(({ id }) => id === agency.agency_id);
    const account = parseAdditionalInfo(now?.additionalAttributes ?? '');
    if (account.has('ACCOUNT')) return account;
    if (known?.has('ACCOUNT')) return known;
    throw accountMissing(agency, batchId);
  });
}

const accountMissing = (agency: PaidAgency, batchId: string): StageError =>
  new StageError(
    'AGENCY_ACCOUNT_MISSING',
    `Agency ${agency.agency_mnemonic} (${agency.agency_id}), which hands out the cash of zone ` +
      `${agency.administrative_zone_mnemonic_small} of batch ${batchId}, has no #ACCOUNT# in its additional_info; ` +
      'enter it in PBMS and retry.',
    false,
  );
