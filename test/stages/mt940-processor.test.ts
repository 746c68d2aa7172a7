import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statementActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { countingStatements, type StatementCounts } from '../support/count-statements.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { debit, newId, statementText } from '../support/records.ts';

const UNLINKED = (quantity: string) => ({ quantity, address: null });

describe('processing a statement file', () => {
  const counts: StatementCounts = new Map();
  let outside: Outside;
  let pipeline: Pipeline;
  beforeAll(async () => {
    outside = await openOutside();
    pipeline = await openPipeline(outside, { system: { between: countingStatements(counts) } });
  });
  afterAll(async () => {
    await pipeline.close();
    await outside.close();
  });

  /** An envelope as it is when its payments have been sent, without sending any. */
  async function disbursed(program: Program, quantities: readonly string[]) {
    const { envelope, batches, ids } = await pipeline.announce(program, [quantities.map(UNLINKED)]);
    for (const batch of batches) await pipeline.store(batch);
    return { envelopeId: envelope.id, ids };
  }

  const reconciled = (envelopeId: string, count: number, timeoutMs?: number) =>
    becomes(() => pipeline.envelope(envelopeId), { number_of_disbursements_reconciled: count }, timeoutMs);

  it('processes a statement without entries', async () => {
    const program = await pipeline.program();
    const [statement] = await pipeline.upload(statementText(program.account, []));
    await becomes(() => pipeline.statement(statement), {
      statement_process_status: 'PROCESSED',
      number_of_entries: 0,
    });
  });

  it('stops in ERROR with INVALID_ACCOUNT_NUMBER at an account that pays for nothing, and writes nothing', async () => {
    const program = await pipeline.program();
    const { envelopeId, ids } = await disbursed(program, ['10']);
    const stranger = newId('X');
    const [statement] = await pipeline.upload(statementText(stranger, [debit(ids[0] ?? '', '10')]));
    await becomes(() => pipeline.statement(statement), {
      statement_process_status: 'ERROR',
      statement_process_latest_error_code: 'INVALID_ACCOUNT_NUMBER',
      statement_process_attempts: 1,
    });
    const written = await pipeline.database.sql`
      select reconciliation_id from disbursement_recons where remittance_statement_id = ${statement ?? ''}
      union all select reconciliation_id from disbursement_error_recons where statement_id = ${statement ?? ''}`;
    expect(written).toHaveLength(0);
    expect(await pipeline.envelope(envelopeId)).toMatchObject({ number_of_disbursements_reconciled: 0 });
    const [fault] = await pipeline.database.sql<{ error_message: string }[]>`
      select error_message from actor_transitions where actor_id = ${statement ?? ''} and event = 'failed'`;
    expect(fault?.error_message).toContain(`Statement ${statement}`);
    expect(fault?.error_message).toContain(stranger.slice(-4));
    expect(fault?.error_message).not.toContain(stranger);
  });

  it('stops in ERROR when its text is of another account, and writes nothing', async () => {
    const [program, other] = [await pipeline.program(), await pipeline.program()];
    const { envelopeId, ids } = await disbursed(program, ['10']);
    const [statement] = await pipeline.upload(
      statementText(program.account, [debit(ids[0] ?? '', '10')]) + statementText(other.account, []),
    );
    await becomes(() => pipeline.statement(statement), {
      statement_process_status: 'ERROR',
      statement_process_latest_error_code: 'INVALID_ACCOUNT_NUMBER',
    });
    expect(await pipeline.envelope(envelopeId)).toMatchObject({ number_of_disbursements_reconciled: 0 });
  });

  it('is processed when an operator retries after its account has been configured', async () => {
    const program = { id: 4711, account: newId('NEW') };
    const { envelopeId, ids } = await disbursed(program, ['10']);
    const [statement] = await pipeline.upload(statementText(program.account, [debit(ids[0] ?? '', '10')]));
    await becomes(() => pipeline.statement(statement), { statement_process_status: 'ERROR' });
    await pipeline.stop();
    const banks = JSON.parse(pipeline.settings.sponsor_bank_configurations ?? '{}');
    banks['4711:1'] = { sponsor_bank_code: 'EXAMPLE-BANK', program_account_number: program.account };
    await pipeline.join({}, { sponsor_bank_configurations: JSON.stringify(banks) });
    const retry = { type: 'statement_process.retry', at: new Date() } as const;
    await pipeline.system.send(statementActor, statement ?? '', retry);
    await reconciled(envelopeId, 1);
  });

  it('reads a latin-1 file in SWIFT blocks with numbered sub-fields, by its customer references', async () => {
    const program = await pipeline.program();
    const { envelopeId, ids } = await disbursed(program, ['10.5', '20']);
    const file = Buffer.from(
      [
        '{1:F01BANKDEFFXXXX0000000000}{2:I940CUSTOMERXXXXN}{4:',
        ':20:STARTUMS',
        `:25:${program.account}`,
        ':28C:00012/001',
        ':60F:C260104USD100,50',
        `:61:2601050105DD10,5NTRF${ids[0]}//B7`,
        '/OCMT/USD10,5',
        ':86:177?00ÜBERWEISUNG?20Saatgutförderung?32Jörg Mäßig',
        `:61:260105D20,NTRF${ids[1]}`,
        ':62F:C260105USD70,',
        ':64:C260105USD70,',
        ':86:Für Rückfragen: Ihre Bank',
        '-}',
        '',
      ].join('\r\n'),
      'latin1',
    );
    const [statement] = await pipeline.upload(file.toString('latin1'));
    await reconciled(envelopeId, 2);
    const recons = await pipeline.database.sql`
      select remittance_amount, remittance_reference_number, remittance_entry_date, remittance_statement_number
      from disbursement_recons where remittance_statement_id = ${statement ?? ''} order by remittance_entry_sequence`;
    expect([...recons]).toEqual([
      {
        remittance_amount: '10.5',
        remittance_reference_number: 'B7',
        remittance_entry_date: new Date('2026-01-05T00:00:00Z'),
        remittance_statement_number: '00012',
      },
      {
        remittance_amount: '20',
        remittance_reference_number: null,
        remittance_entry_date: null,
        remittance_statement_number: '00012',
      },
    ]);
  });

  it('matches 20,000 entries with as many SQL statements as 20', async () => {
    const program = await pipeline.program();
    async function statementsFor(entries: number): Promise<number> {
      const { envelopeId, ids } = await disbursed(program, Array(entries).fill('10'));
      const [statement = ''] = await pipeline.upload(
        statementText(
          program.account,
          ids.map((id) => debit(id, '10')),
        ),
      );
      await reconciled(envelopeId, entries, 25_000);
      return counts.get(statement) ?? 0;
    }
    const few = await statementsFor(20);
    const many = await statementsFor(20_000);
    expect(few).toBeGreaterThan(5);
    expect(many).toBe(few);
  });
});
