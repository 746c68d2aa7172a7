import type { StageName } from '../../src/config.ts';
import { summariseMt940 } from '../../src/connectors/mt940/digest.ts';
import { insertRows } from '../../src/db/bulk.ts';
import { connect, type Database } from '../../src/db/connection.ts';
import * as schema from '../../src/db/schema/index.ts';
import { sumDecimals } from '../../src/decimal.ts';
import type { ActorSystem } from '../../src/runtime/system.ts';
import { batchActor, envelopeActor, statementActor } from '../../src/stages/actors.ts';
import type { Row } from './becomes.ts';
import { requireKeptSums } from './kept-sums.ts';
import type { Outside } from './outside.ts';
import { type PipelineSystem, type ProcessOptions, startPipelineSystem } from './pipeline-system.ts';
import { createPreparedDatabase } from './prepared-database.ts';
import {
  type Address,
  type BatchRow,
  bankAccount,
  batchRow,
  type DisbursementRow,
  disbursementRow,
  type EnvelopeRow,
  envelopeControlRow,
  envelopeRow,
  newId,
} from './records.ts';

/** A program with an account of its own at the sponsor bank. */
export interface Program {
  readonly id: number;
  readonly account: string;
}

/** A disbursement that a test wants: its quantity, and where its beneficiary's money goes; null: the mapper knows nothing. */
export type Wanted = string | { readonly quantity: string; readonly address: Address | null };

/** A batch with its disbursements. */
export interface ReceivedBatch {
  readonly row: BatchRow;
  readonly disbursements: readonly DisbursementRow[];
}

/** An envelope with its batches and disbursements, as they are or will be received. */
export interface Disbursing {
  readonly envelope: EnvelopeRow;
  readonly batches: readonly ReceivedBatch[];
  /** All disbursement ids, in the order they were wanted. */
  readonly ids: readonly string[];
}

export interface PipelineOptions {
  /** Settings by name, all as text. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly system?: ProcessOptions;
  /** Processes of the pipeline, one unless told otherwise; 0: the test starts its own. */
  readonly processes?: number;
  /** Prepares the database further, before any process starts. @returns the URL by which processes are to reach it */
  readonly reach?: (url: string) => Promise<string>;
}

const PROGRAMS_MAX = 60;
/** Statements are stored in several pieces, so that entries are cut anywhere. */
const PIECES = 7;

/** Prepares a database and starts the pipeline on it, between the given bank and mapper. */
export async function openPipeline(outside: Outside, options: PipelineOptions = {}): Promise<Pipeline> {
  const { url, drop } = await createPreparedDatabase('pipeline');
  const pipeline = new Pipeline(outside, url, drop, {
    ...options,
    reached: (await options.reach?.(url)) ?? url,
  });
  for (let n = 0; n < (options.processes ?? 1); n += 1) await pipeline.join();
  return pipeline;
}

/** The pipeline under test: receives as the API does, and shows what became of it. */
export class Pipeline {
  readonly url: string;
  /** Connections of the test's own. */
  readonly database: Database;
  readonly outside: Outside;
  /** The settings that processes of this pipeline run with. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #options: PipelineOptions & { readonly reached: string };
  readonly #drop: () => Promise<void>;
  readonly #processes: PipelineSystem[] = [];
  readonly #accountPrefix = newId('P');
  #programs = 0;

  constructor(
    outside: Outside,
    url: string,
    drop: () => Promise<void>,
    options: PipelineOptions & { readonly reached: string },
  ) {
    this.outside = outside;
    this.url = url;
    this.database = connect(url, { max: 4, applicationName: 'test' });
    this.#drop = drop;
    this.#options = options;
    this.settings = {
      example_bank_api_url: outside.bank.url,
      mapper_api_url: outside.mapper.url,
      sponsor_bank_configurations: JSON.stringify(this.#sponsorBanks(options.settings?.bank_code)),
      ...Object.fromEntries(Object.entries(options.settings ?? {}).filter(([name]) => name !== 'bank_code')),
    };
  }

  /** The first process that runs. */
  get system(): ActorSystem {
    const [first] = this.#processes;
    if (!first) throw new Error('No process of the pipeline runs.');
    return first.system;
  }

  /**
   * Starts another process of the pipeline, as far as it can tell.
   *
   * @param settings where they differ from the others' settings
   */
  async join(options: ProcessOptions = {}, settings: Pipeline['settings'] = {}): Promise<PipelineSystem> {
    const joined = await startPipelineSystem(
      this.#options.reached,
      { ...this.settings, ...settings },
      { ...this.#options.system, ...options },
    );
    this.#processes.push(joined);
    return joined;
  }

  /** Stops all processes; what is under way is finished or handed back. */
  async stop(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.close()));
  }

  /** Ends the pipeline; whatever the tests made of it, envelopes must know how much money went where. */
  async close(): Promise<void> {
    await this.stop();
    try {
      await requireKeptSums(this.database.sql);
    } finally {
      await this.database.close();
      await this.#drop();
    }
  }

  /** A program that no other test uses, whose account holds `balance` USD. */
  async program(balance = '1000000'): Promise<Program> {
    this.#programs += 1;
    if (this.#programs > PROGRAMS_MAX) throw new Error(`A pipeline has ${PROGRAMS_MAX} programs at most.`);
    const program = { id: this.#programs, account: `${this.#accountPrefix}-${this.#programs}` };
    await this.outside.bank.account(program.account, balance);
    return program;
  }

  /** Announces an envelope of cash and receives its batches; the mapper knows every beneficiary unless told otherwise. */
  async disburse(
    program: Program,
    batches: readonly (readonly Wanted[])[],
    given: Partial<EnvelopeRow> = {},
  ): Promise<Disbursing> {
    const disbursing = await this.announce(program, batches, given);
    for (const batch of disbursing.batches) await this.receive(batch);
    return disbursing;
  }

  /** Announces an envelope and prepares its batches, which are not received yet. */
  async announce(
    program: Program,
    batches: readonly (readonly Wanted[])[],
    given: Partial<EnvelopeRow> = {},
  ): Promise<Disbursing> {
    const quantities = batches.map((batch) =>
      batch.map((one) => (typeof one === 'string' ? one : one.quantity)),
    );
    return this.system.transact(async (tx) => {
      const envelope = envelopeRow({
        benefit_program_id: program.id,
        number_of_disbursements: quantities.flat().length,
        total_disbursement_quantity: sumDecimals(quantities.flat()),
        receipt_time_stamp: tx.now,
        ...given,
      });
      const prepared = quantities.map((batch) => {
        const row = batchRow(envelope, batch, tx.now);
        return { row, disbursements: batch.map((quantity) => disbursementRow(row, quantity)) };
      });
      const disbursing = { envelope, batches: prepared, ids: prepared.flatMap(idsOf) };
      await this.#link(disbursing, batches.flat());
      await insertRows(tx.sql, schema.disbursementEnvelopes, [envelope]);
      await insertRows(tx.sql, schema.envelopeControl, [envelopeControlRow(envelope)]);
      await insertRows(tx.sql, schema.envelopeBatchStatusForCash, [
        { disbursement_envelope_id: envelope.id },
      ]);
      await tx.send(envelopeActor, [{ id: envelope.id, event: { type: 'created', at: tx.now } }]);
      return disbursing;
    });
  }

  /** Receives a batch. */
  async receive({ row, disbursements }: ReceivedBatch): Promise<void> {
    await this.system.transact(async (tx) => {
      await insertRows(tx.sql, schema.disbursementBatchControl, [row]);
      await insertRows(tx.sql, schema.disbursements, disbursements);
      const { number_of_disbursements: count, total_disbursement_quantity: quantity } = row;
      const received = { type: 'batch_received' as const, count, quantity, at: tx.now };
      const [answer] = await tx.send(envelopeActor, [{ id: row.disbursement_envelope_id, event: received }]);
      if (!answer?.accepted)
        throw new Error(`Envelope ${row.disbursement_envelope_id} refused batch ${row.id}.`);
      await tx.send(batchActor, [{ id: row.id, event: { type: 'received', at: tx.now } }]);
    });
  }

  /** Stores a batch without setting it on its way, for tests of what comes much later. */
  async store({ row, disbursements }: ReceivedBatch): Promise<void> {
    await insertRows(this.database.sql, schema.disbursementBatchControl, [row]);
    await insertRows(this.database.sql, schema.disbursements, disbursements);
  }

  /** Receives files, each of one account, as uploads that end at the same moment. @returns their ids */
  async upload(...texts: readonly string[]): Promise<string[]> {
    const rows = await Promise.all(
      texts.map(async (text) => {
        const { entries, statements } = await summariseMt940([text]);
        const digests = statements.map(({ digest }) => digest);
        return {
          statement_id: newId('S'),
          account_number: statements[0]?.account,
          number_of_entries: entries,
          content_digest: digests.join(' '),
        };
      }),
    );
    await this.system.transact(async (tx) => {
      const uploaded = rows.map((row) => ({ ...row, statement_upload_timestamp: tx.now }));
      await insertRows(tx.sql, schema.accountStatements, uploaded);
      await insertRows(
        tx.sql,
        schema.accountStatementLobs,
        texts.flatMap((text, n) =>
          piecesOf(text).map((piece) => ({ statement_id: rows[n]?.statement_id, ...piece })),
        ),
      );
      await tx.send(
        statementActor,
        rows.map(({ statement_id: id }) => ({ id, event: { type: 'uploaded', at: tx.now } })),
      );
    });
    return rows.map(({ statement_id }) => statement_id);
  }

  /** Runs the tick of a stage in the first process. @returns how much it dispatched */
  async tick(name: StageName): Promise<number> {
    const stage = this.system.store.registry.stages.find((one) => one.name === name);
    if (!stage) throw new Error(`There is no stage ${name}.`);
    return (await this.system.ticks.tick(stage)).dispatched;
  }

  /** An envelope with what was received of it and what became of its money. */
  async envelope(id: string): Promise<Row> {
    return only(
      await this.database.sql`
        select * from disbursement_envelopes e
        join envelope_control c on c.disbursement_envelope_id = e.id
        join envelope_batch_status_for_cash s on s.disbursement_envelope_id = e.id where e.id = ${id}`,
    );
  }

  /** A batch with the states of its stages. */
  async batch(id: string | undefined): Promise<Row> {
    return only(await this.database.sql`select * from disbursement_batch_control where id = ${id ?? null}`);
  }

  async statement(id: string | undefined): Promise<Row> {
    return only(await this.database.sql`select * from account_statements where statement_id = ${id ?? null}`);
  }

  #sponsorBanks(bankCode = 'EXAMPLE-BANK'): Row {
    const numbers = Array.from({ length: PROGRAMS_MAX }, (_, n) => n + 1);
    return Object.fromEntries(
      numbers.map((n) => [
        `${n}:1`,
        { sponsor_bank_code: bankCode, program_account_number: `${this.#accountPrefix}-${n}` },
      ]),
    );
  }

  async #link(disbursing: Disbursing, wanted: readonly Wanted[]): Promise<void> {
    const links = disbursing.batches
      .flatMap(({ disbursements }) => disbursements)
      .flatMap(({ beneficiary_id: id }, n) => {
        const one = wanted[n];
        const address = one === undefined || typeof one === 'string' ? bankAccount() : one.address;
        return address ? [{ id, ...address }] : [];
      });
    if (links.length > 0) await this.outside.mapper.link(links);
  }
}

function only(rows: readonly Row[]): Row {
  const [row] = rows;
  if (!row || rows.length > 1) throw new Error(`Expected one row, not ${rows.length}.`);
  return row;
}

const idsOf = ({ disbursements }: ReceivedBatch) => disbursements.map(({ id }) => id);

function piecesOf(text: string): { part: number; statement_lob: string }[] {
  const characters = Math.ceil(text.length / PIECES);
  return Array.from({ length: Math.ceil(text.length / characters) }, (_, part) => ({
    part,
    statement_lob: text.slice(part * characters, (part + 1) * characters),
  }));
}
