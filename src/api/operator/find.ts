import type { z } from 'zod';
import type { Queryable } from '../../db/connection.ts';
import { endpoint } from './endpoint.ts';
import { type Found, findQuery, found } from './wire/actors.ts';

type Finding = Found['found'][number];

/** Disbursements of one beneficiary that are found at most, the latest. */
const OF_BENEFICIARY_MAX = 20;

interface FoundRow {
  readonly kind: Finding['kind'];
  readonly id: string;
  readonly machine: string;
  readonly actor_id: string;
  readonly envelope: string | null;
  readonly about: string;
}

/** `GET /operator/find?q=`: whatever has exactly this id, and the disbursements of a beneficiary of this id. */
export const find = endpoint({
  method: 'GET',
  path: '/operator/find',
  summary: 'Whatever has this id',
  role: 'viewer',
  query: findQuery as z.ZodType<z.output<typeof findQuery>>,
  answer: found,
  async handle({ database: { sql } }, { query: { q } }) {
    const rows = [...(await withId(sql, q)), ...(await ofBeneficiary(sql, q))];
    return {
      found: rows.map(({ machine, actor_id, ...row }) => ({ ...row, actor: { machine, id: actor_id } })),
    };
  },
});

const withId = (sql: Queryable, id: string) => sql<FoundRow[]>`
  select 'envelope' as kind, id, 'envelope' as machine, id as actor_id, id as envelope,
    concat_ws(' ', benefit_program_mnemonic, benefit_code_mnemonic, cycle_code_mnemonic) || ': '
      || total_disbursement_quantity || ' ' || measurement_unit || ' in ' || number_of_disbursements
      || ' disbursements, scheduled for ' || disbursement_schedule_date as about
  from disbursement_envelopes where id = ${id}
  union all
  select 'batch', id, 'batch', id, disbursement_envelope_id,
    number_of_disbursements || ' disbursements, ' || total_disbursement_quantity || ' in all'
  from disbursement_batch_control where id = ${id}
  union all
  select 'geo', id, 'geo', id, disbursement_envelope_id,
    no_of_beneficiaries || ' beneficiaries in ' || administrative_zone_mnemonic_small || ', '
      || administrative_zone_mnemonic_large || '; ' || total_quantity || ' in all'
  from disbursement_batch_control_geo where id = ${id}
  union all
  select 'disbursement', id, 'batch', disbursement_batch_control_id, disbursement_envelope_id,
    disbursement_quantity || ' to beneficiary ' || beneficiary_id
      || case when cancellation_status = 'CANCELLED' then ', cancelled'
           when left_out_reason is not null then ', left out: ' || left_out_reason else '' end
  from disbursements where id = ${id}
  union all
  select 'beneficiary', id, 'beneficiary', id, disbursement_envelope_id,
    'Beneficiary ' || beneficiary_id || ' in ' || administrative_zone_mnemonic_small
  from disbursement_resolution_geo_address where id = ${id}
  union all
  select 'statement', statement_id, 'statement', statement_id, null,
    number_of_entries || ' entries' || coalesce(' of account ' || account_number, '')
  from account_statements where statement_id = ${id}`;

const ofBeneficiary = (sql: Queryable, beneficiary: string) => sql<FoundRow[]>`
  select 'disbursement' as kind, id, 'batch' as machine, disbursement_batch_control_id as actor_id,
    disbursement_envelope_id as envelope,
    disbursement_quantity || ' to beneficiary ' || beneficiary_id as about
  from disbursements where beneficiary_id = ${beneficiary} and id <> ${beneficiary}
  order by receipt_time_stamp desc, id limit ${OF_BENEFICIARY_MAX}`;
