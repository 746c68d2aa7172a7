import type { Sql } from '../../db/connection.ts';
import { goesThroughZones, isCash } from '../../machines/benefit-type.ts';
import type { DemoEnvelope } from './programs.ts';
import { countByStatus, type StageProgress, type StatusCount, stagesOf } from './stages.ts';

/** How far one envelope has come. */
export interface EnvelopeProgress {
  readonly benefitType: string;
  /** Disbursements that the envelope has in all. */
  readonly declared: number;
  readonly received: number;
  readonly shipped: number;
  readonly reconciled: number;
  /** Disbursements whose beneficiary is in a zone. */
  readonly located: number;
  /** Geo records, and those of them whose warehouse and whose agency have been notified. */
  readonly geoRecords: number;
  readonly warehousesNotified: number;
  readonly agenciesNotified: number;
  readonly beneficiariesNotified: number;
}

/** How far a run has come. */
export interface Progress {
  readonly envelopes: readonly EnvelopeProgress[];
  readonly stages: readonly StageProgress[];
}

type Received = Pick<EnvelopeProgress, 'declared' | 'received' | 'shipped' | 'reconciled'>;

const NOTHING: Received = { declared: 0, received: 0, shipped: 0, reconciled: 0 };

/** Reads how far envelopes and the statements of their accounts have come. */
export async function progressOf(sql: Sql, envelopes: readonly DemoEnvelope[]): Promise<Progress> {
  const [rows, counts] = await Promise.all([
    sql<(Received & { id: string })[]>`
      select e.id, number_of_disbursements as declared, number_of_disbursements_received as received,
        number_of_disbursements_shipped as shipped, number_of_disbursements_reconciled as reconciled
      from disbursement_envelopes e
      join envelope_control on disbursement_envelope_id = e.id
      join envelope_batch_status_for_cash using (disbursement_envelope_id)
      where e.id = any(${envelopes.map(({ id }) => id)})`,
    countByStatus(sql, envelopes),
  ]);
  const received = new Map(rows.map(({ id, ...row }) => [id, row]));
  return {
    envelopes: envelopes.map(({ id, program: { benefitType } }) => ({
      benefitType,
      ...(received.get(id) ?? NOTHING),
      ...notified(counts.filter(({ envelope }) => envelope === id)),
    })),
    stages: stagesOf(counts, envelopes),
  };
}

function notified(counts: readonly StatusCount[]) {
  const count = (who: string, matches: (status: string) => boolean) =>
    counts
      .filter(({ region, status }) => region === `${who}_notification` && matches(status))
      .reduce((sum, { n }) => sum + n, 0);
  const isDone = (status: string) => status === 'PROCESSED';
  return {
    located: count('beneficiary', () => true),
    geoRecords: count('warehouse', () => true),
    warehousesNotified: count('warehouse', isDone),
    agenciesNotified: count('agency', isDone),
    beneficiariesNotified: count('beneficiary', isDone),
  };
}

/** Whether an envelope has come to its end: cash is reconciled, and who is served in a zone has been notified. */
export function isComplete(envelope: EnvelopeProgress): boolean {
  const { benefitType, declared, received, reconciled } = envelope;
  if (declared === 0 || received < declared) return false;
  if (isCash(benefitType) && reconciled < declared) return false;
  return !goesThroughZones(benefitType) || isEverybodyNotified(envelope);
}

function isEverybodyNotified(envelope: EnvelopeProgress): boolean {
  const { declared, geoRecords, warehousesNotified, agenciesNotified, beneficiariesNotified } = envelope;
  return (
    beneficiariesNotified >= declared && warehousesNotified === geoRecords && agenciesNotified === geoRecords
  );
}
