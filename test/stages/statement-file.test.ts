import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApi } from '../../src/api/server.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { debit, newId, reversal, statementText } from '../support/records.ts';

describe('a file of several statements, from upload to reconciled', () => {
  let outside: Outside;
  let pipeline: Pipeline;
  let app: FastifyInstance;
  let url: string;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside);
    app = buildApi({ system: pipeline.system, database: pipeline.database, role: 'all' });
    url = await app.listen({ port: 0, host: '127.0.0.1' });
  });
  afterAll(async () => {
    await app.close();
    await pipeline.close();
    await outside.close();
  });

  /** Uploads a file over HTTP. @returns the ids of its statements */
  async function upload(file: string): Promise<string[]> {
    const form = new FormData();
    form.append('statement_file', new Blob([file]), 'statements.sta');
    const response = await fetch(`${url}/upload_mt940`, { method: 'POST', body: form });
    const answer = (await response.json()) as {
      response_body: { response_payload: { statements: { statement_id: string }[] } };
    };
    return answer.response_body.response_payload.statements.map(({ statement_id }) => statement_id);
  }

  /** An envelope as it is when its payments have been sent, without sending any. */
  async function disbursed(program: Program, quantities: readonly string[]) {
    const { envelope, batches, ids } = await pipeline.announce(program, [
      quantities.map((quantity) => ({ quantity, address: null })),
    ]);
    for (const batch of batches) await pipeline.store(batch);
    return { envelopeId: envelope.id, ids };
  }

  it('matches each with what its account paid, and keeps the places of each apart', async () => {
    const [one, other] = [await pipeline.program(), await pipeline.program()];
    const ofOne = await disbursed(one, ['10', '20']);
    const ofOther = await disbursed(other, ['30', '40']);
    const ids = await upload(
      [
        statementText(one.account, [debit(newId('D'), '1'), debit(ofOne.ids[0] ?? '', '10')]),
        statementText(other.account, [debit(ofOther.ids[0] ?? '', '30'), debit(ofOther.ids[1] ?? '', '41')]),
        statementText(one.account, [debit(ofOne.ids[1] ?? '', '20'), reversal(ofOne.ids[0] ?? '', '10')]),
      ].join(''),
    );
    await becomes(() => pipeline.envelope(ofOne.envelopeId), {
      number_of_disbursements_reconciled: 2,
      number_of_disbursements_reversed: 1,
    });
    await becomes(() => pipeline.envelope(ofOther.envelopeId), { number_of_disbursements_reconciled: 1 });
    const found = await pipeline.database.sql`
      select array_position(${ids}::text[], remittance_statement_id) as statement, reconciliation_id as id,
        remittance_entry_sequence as place, 'RECONCILED' as became
      from disbursement_recons where remittance_statement_id = any(${ids}::text[])
      union all
      select array_position(${ids}::text[], statement_id), reconciliation_id, entry_sequence, error_reason
      from disbursement_error_recons where statement_id = any(${ids}::text[])
      order by statement, place`;
    expect(found.map(({ statement, place, became }) => [statement, place, became])).toEqual([
      [1, 1, 'INVALID_RECONCILIATION_ID'],
      [1, 2, 'RECONCILED'],
      [2, 1, 'RECONCILED'],
      [2, 2, 'AMOUNT_MISMATCH'],
      [3, 1, 'RECONCILED'],
    ]);
  });

  it('processes those of known accounts when one is of an account that pays for nothing', async () => {
    const program = await pipeline.program();
    const { envelopeId, ids } = await disbursed(program, ['10']);
    const [stranger, known] = await upload(
      statementText(newId('X'), [debit(newId('D'), '1')]) +
        statementText(program.account, [debit(ids[0] ?? '', '10')]),
    );
    await becomes(() => pipeline.envelope(envelopeId), { number_of_disbursements_reconciled: 1 });
    await becomes(() => pipeline.statement(known), { statement_process_status: 'PROCESSED' });
    await becomes(() => pipeline.statement(stranger), {
      statement_process_status: 'ERROR',
      statement_process_latest_error_code: 'INVALID_ACCOUNT_NUMBER',
    });
  });

  it('processes SWIFT messages that meet on one line', async () => {
    const program = await pipeline.program();
    const { envelopeId, ids } = await disbursed(program, ['10', '20']);
    const message = (n: number, id: string, amount: number) =>
      [
        '{1:F01BANKDEFFXXXX0000000000}{2:O9401200240131BANKDEFFXXXX00000000002401311200N}{4:',
        `:20:${newId('R')}`,
        `:25:${program.account}`,
        `:28C:${n}/1`,
        `:60F:C260104USD${amount},`,
        `:61:260105D${amount},NTRF${id}`,
        ':62F:C260105USD0,',
        '-}{5:{CHK:123456789ABC}}',
      ].join('\r\n');
    const statements = await upload(message(1, ids[0] ?? '', 10) + message(2, ids[1] ?? '', 20));
    expect(new Set(statements).size).toBe(2);
    await becomes(() => pipeline.envelope(envelopeId), { number_of_disbursements_reconciled: 2 });
  });

  it('keeps every character of what it stores of an entry', async () => {
    const program = await pipeline.program();
    const { ids } = await disbursed(program, ['10']);
    const reason = 'C:\\new\\ttemp \\. "quoted" \\N é 中';
    const [statement] = await upload(
      statementText(program.account, [debit(ids[0] ?? '', '10'), reversal(ids[0] ?? '', '10', reason)]),
    );
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'PROCESSED' });
    const [recon] = await pipeline.database.sql`
      select reversal_reason from disbursement_recons where reconciliation_id = ${ids[0] ?? ''}`;
    expect(recon).toEqual({ reversal_reason: reason });
  });
});
