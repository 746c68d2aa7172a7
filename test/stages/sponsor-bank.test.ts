import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { envelopeActor, statementActor } from '../../src/stages/actors.ts';
import { becomes } from '../support/becomes.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { createPbms, type TestPbms } from '../support/pbms-tables.ts';
import { type Disbursing, openPipeline, type Pipeline, type Program } from '../support/pipeline.ts';
import { debit, newId, statementText } from '../support/records.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const TABLE = 'g2p_warehouse_program_benefit_codes of PBMS';

describe('the sponsor bank with in_kind_enabled', () => {
  let outside: Outside;
  let pbms: TestPbms;
  let proxy: TcpProxy;
  let pipeline: Pipeline;
  beforeAll(async () => {
    [outside, pbms] = await Promise.all([openOutside(), createPbms('bigint')]);
    proxy = await startTcpProxy(pbms.url);
    pipeline = await openPipeline(outside, {
      settings: {
        in_kind_enabled: 'true',
        db_datasource_pbms: proxy.through(pbms.url),
        db_datasource_registry: proxy.through(pbms.url),
        pbms_connect_timeout_ms: '500',
        check_funds_with_bank_max_attempts: '1000',
        mt940_processor_max_attempts: '1000',
      },
    });
  });
  afterEach(() => proxy.start());
  afterAll(async () => {
    await pipeline.close();
    await Promise.all([outside.close(), proxy.close()]);
    await pbms.drop();
  });

  let programs = 1_000;
  /** A program with an account at the bank, of which only PBMS may know. */
  async function program(): Promise<Program> {
    programs += 1;
    const account = newId('PB');
    await outside.bank.account(account, '1000');
    return { id: programs, account };
  }

  async function enter({ id, account }: Program, bankCode = 'EXAMPLE-BANK'): Promise<void> {
    await pbms.sql`
      insert into g2p_warehouse_program_benefit_codes (id, program_id, benefit_code_id, warehouse_mnemonic, additional_info)
      values (${id}, ${id}, 1, ${bankCode}, ${`#ACCOUNT#${account}#TYPE#CURRENT#BRANCH#B-1`})`;
  }

  const envelopeOf = ({ envelope }: Disbursing) => pipeline.envelope(envelope.id);

  async function retryFundsCheck({ envelope }: Disbursing): Promise<void> {
    const event = { type: 'funds_available.retry', at: new Date() } as const;
    expect(await pipeline.system.send(envelopeActor, envelope.id, event)).toMatchObject({ accepted: true });
  }

  async function faultOf(id: string | undefined): Promise<string> {
    const [fault] = await pipeline.database.sql<{ error_message: string }[]>`
      select error_message from actor_transitions
      where actor_id = ${id ?? ''} and event = 'failed' order by seq desc limit 1`;
    return fault?.error_message ?? '';
  }

  it('is the one that PBMS names', async () => {
    const paying = await program();
    await enter(paying);
    const disbursing = await pipeline.disburse(paying, [['10', '20']]);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 2 });
    expect(await outside.bank.ledger(paying.account)).toMatchObject({ debits: 2, debited_sum: '30.00' });
  });

  it('when PBMS names none, stops the envelope in ERROR until PBMS does; no restart is needed', async () => {
    const paying = await program();
    const disbursing = await pipeline.disburse(paying, [['10']]);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'SPONSOR_BANK_NOT_CONFIGURED',
    });
    expect(await faultOf(disbursing.envelope.id)).toBe(
      `No sponsor bank is configured for program ${paying.id} and benefit code 1 of envelope ` +
        `${disbursing.envelope.id}; add it to ${TABLE}, then retry.`,
    );
    await enter(paying);
    await retryFundsCheck(disbursing);
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
  });

  it('when it has no connector, stops the envelope in ERROR and names the bank', async () => {
    const paying = await program();
    await enter(paying, 'UNHEARD-OF-BANK');
    const disbursing = await pipeline.disburse(paying, [['10']]);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'BANK_CONNECTOR_NOT_CONFIGURED',
      funds_available_attempts: 1,
    });
    expect(await faultOf(disbursing.envelope.id)).toBe(
      `The sponsor bank UNHEARD-OF-BANK, which ${TABLE} names for envelope ${disbursing.envelope.id}, has no ` +
        'connector; add it to bank_connectors_impls, restart and retry.',
    );
  });

  it('is waited for while PBMS is down', async () => {
    const paying = await program();
    await enter(paying);
    await proxy.stop();
    const disbursing = await pipeline.disburse(paying, [['10']]);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'PENDING_CHECK',
      funds_available_latest_error_code: 'PBMS_UNAVAILABLE',
    });
    await proxy.start();
    await becomes(() => envelopeOf(disbursing), { number_of_disbursements_shipped: 1 });
  });

  it('must stay the one at which the funds were found', async () => {
    const paying = await program();
    await enter(paying);
    const disbursing = await pipeline.announce(paying, [['10'], ['20']]);
    const [first, second] = disbursing.batches;
    if (!first || !second) throw new Error('Two batches were announced.');
    await pipeline.receive(first);
    await pipeline.database.sql`
      update envelope_batch_status_for_cash
      set sponsor_bank_code = 'EXAMPLE-BANK', program_account_number = 'ANOTHER'
      where disbursement_envelope_id = ${disbursing.envelope.id}`;
    await pipeline.receive(second);
    await becomes(() => envelopeOf(disbursing), {
      funds_available_with_bank: 'ERROR',
      funds_available_latest_error_code: 'SPONSOR_BANK_CHANGED',
    });
    expect(await faultOf(disbursing.envelope.id)).toBe(
      `The funds of envelope ${disbursing.envelope.id} were found at another bank or account than ${TABLE} names now; ` +
        'put the former entry back, then retry.',
    );
  });

  describe('of a statement', () => {
    /** An envelope as it is when its payment has been sent, and a statement that shows it. */
    async function paid(paying: Program) {
      const { envelope, batches, ids } = await pipeline.announce(paying, [['10']]);
      for (const batch of batches) await pipeline.store(batch);
      const [statement] = await pipeline.upload(statementText(paying.account, [debit(ids[0] ?? '', '10')]));
      return { envelopeId: envelope.id, statement };
    }

    it('is the one whose account PBMS names, as soon as it does', async () => {
      const paying = await program();
      const { envelopeId, statement } = await paid(paying);
      await becomes(() => pipeline.statement(statement), {
        statement_process_status: 'ERROR',
        statement_process_latest_error_code: 'INVALID_ACCOUNT_NUMBER',
      });
      expect(await faultOf(statement)).toContain(`pays for no program in ${TABLE}`);
      await enter(paying);
      const retry = { type: 'statement_process.retry', at: new Date() } as const;
      await pipeline.system.send(statementActor, statement ?? '', retry);
      await becomes(() => pipeline.envelope(envelopeId), { number_of_disbursements_reconciled: 1 });
    });

    it('is waited for while PBMS is down', async () => {
      const paying = await program();
      await enter(paying);
      await proxy.stop();
      const { envelopeId, statement } = await paid(paying);
      await becomes(() => pipeline.statement(statement), {
        statement_process_status: 'PENDING',
        statement_process_latest_error_code: 'PBMS_UNAVAILABLE',
      });
      await proxy.start();
      await becomes(() => pipeline.envelope(envelopeId), { number_of_disbursements_reconciled: 1 });
    });

    it('must have a connector', async () => {
      const paying = await program();
      await enter(paying, 'UNHEARD-OF-BANK');
      const { statement } = await paid(paying);
      await becomes(() => pipeline.statement(statement), {
        statement_process_status: 'ERROR',
        statement_process_latest_error_code: 'BANK_CONNECTOR_NOT_CONFIGURED',
      });
      expect(await faultOf(statement)).toContain(`names for the account of statement ${statement}`);
    });
  });
});
