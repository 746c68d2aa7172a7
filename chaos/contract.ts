import type { Database } from '../src/db/connection.ts';

/** Where the parts of a chaos run meet: the world that faults strike, what was submitted to it, and what must hold in the end. */

/** The processes that faults strike, by name; `worker` and `api` processes are restarted as an orchestrator would. */
export type ProcessName =
  | 'api'
  | 'worker-1'
  | 'worker-2'
  | 'worker-3'
  | 'bank'
  | 'spar'
  | 'novu'
  | 'postgres';

/** Everything a run needs to know of the world; URLs stay the same when the process behind them is started again. */
export interface World {
  /** The bridge's API, partner and operator side. Not answering for seconds is normal. */
  readonly apiUrl: string;
  /** For the operator's API and the feed. */
  readonly operatorToken: string;
  /**
   * The bank, past all faults: for its ledger. It runs with `--take-repeated-references`: a bank that refuses a payment
   * reference that it has seen would hide that somebody was to be paid twice.
   */
  readonly bankUrl: string;
  /** The notification service, past all faults: for what it was sent. */
  readonly novuUrl: string;
  readonly programs: readonly Program[];
  /** Beneficiary ids that the mapper and the farmer registry know. */
  readonly beneficiaries: readonly string[];
  /** Opens a connection to the bridge's database as it is at this moment, past all faults. */
  openDatabase(): Database;
  readonly timeline: Timeline;
}

/** A benefit program that envelopes are submitted for. */
export interface Program {
  readonly benefitType: 'CASH_DIGITAL' | 'CASH_PHYSICAL' | 'COMMODITY' | 'SERVICE';
  readonly id: string;
  readonly mnemonic: string;
  readonly benefitCodeId: string;
  readonly benefitCodeMnemonic: string;
  /** Account at the bank that pays; null when no money moves. */
  readonly account: string | null;
}

/** What was submitted and acknowledged, kept outside the system: the truth that it is measured by. */
export interface Submitted {
  readonly envelopeId: string;
  readonly program: Program;
  /** No other envelope has it, so it tells whose notifications are whose. */
  readonly cycle: string;
  /** Disbursement id → beneficiary and exact decimal quantity; those that were cancelled among them. */
  readonly disbursements: ReadonlyMap<string, { readonly beneficiary: string; readonly quantity: string }>;
  /** Disbursements that were cancelled one by one, and acknowledged so. */
  readonly cancelled: ReadonlySet<string>;
  /** Whether the whole envelope was cancelled; `perhaps` when a request was refused after others had got no answer. */
  readonly cancellation: 'no' | 'yes' | 'perhaps';
}

/** What happened when; kept in a file, one JSON object a line. Appending never throws. */
export interface Timeline {
  note(kind: string, about: string, details?: Readonly<Record<string, unknown>>): void;
  /** Entries from `before` to `after` a moment, oldest first. */
  around(moment: Date, beforeMs: number, afterMs: number): Promise<readonly TimelineEntry[]>;
}

export interface TimelineEntry {
  readonly at: Date;
  readonly kind: string;
  readonly about: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Something that must hold and did not. */
export interface Violation {
  /** The invariant, as a sentence. */
  readonly invariant: string;
  /** What was found instead, naming records. */
  readonly found: string;
  /** When it happened, as well as can be told from the outside; the timeline is printed around it. */
  readonly at: Date | null;
}

/** An invariant and what was found against it. */
export interface Checked {
  readonly name: string;
  readonly violations: readonly Violation[];
}

/** One invariant, checked from the outside after the world has settled. */
export interface Invariant {
  /** As a sentence: "Every disbursement is debited exactly once." */
  readonly name: string;
  check(run: Finished): Promise<readonly Violation[]>;
}

/** A run whose faults have stopped and that has settled. */
export interface Finished {
  readonly world: World;
  readonly submitted: readonly Submitted[];
  readonly feed: FeedRecord;
}

/** What a client of the feed saw, over all its connections. */
export interface FeedRecord {
  readonly connections: number;
  /** Every sequence number received, as closed ranges in order. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** The same number twice within one connection, an older one after a newer one, or what cannot be read. */
  readonly disorder: readonly string[];
}

/** Submits without a pause until stopped. */
export interface Load {
  /** Ends submissions in order; what has been begun is submitted to the end. */
  stop(): Promise<readonly Submitted[]>;
  readonly progress: { readonly envelopes: number; readonly disbursements: number };
  /** What the API refused although it must not have; belongs to the violations of the run. */
  readonly violations: readonly Violation[];
}

/** Follows the feed, over any number of reconnections, until stopped. */
export interface FeedFollower {
  /** Resolves when it is connected for the first time. */
  readonly opened: Promise<void>;
  /**
   * Follows until the server has nothing more to tell, then stops; after half a minute in any case.
   *
   * @param latestSeq the highest number of the journal, which is waited for; left out: what the server last greeted with
   */
  stop(latestSeq?: number): Promise<FeedRecord>;
}
