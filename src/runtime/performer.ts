import {
  codeOf,
  isFinal,
  isPassing,
  messageOf,
  NotAnnouncedError,
  NotSentError,
  notBeforeOf,
  PausedError,
  RuntimeError,
  SupersededError,
  UnreadableError,
} from './errors.ts';
import { type Claim, claimOf, type HandedJob, workerQueue } from './jobs.ts';
import type { Pauses } from './pauses.ts';
import type { Processes } from './processes.ts';
import { Recorder } from './recorder.ts';
import type { Outcome, Stage, Submission, Work } from './stage.ts';
import type { ActorStore } from './store.ts';

/**
 * What came of a piece of work. `superseded`: another worker has it by now. `interrupted`: it was broken off here, and
 * is handed back as it was.
 */
type Performed = Outcome | 'superseded' | 'interrupted';

/** Jobs of one stage that a worker of this process was handed, and the signal that breaks them off. */
interface Handed {
  readonly stage: Stage;
  readonly jobs: readonly HandedJob[];
  readonly over: AbortSignal;
}

/** Performs work, without a transaction, and has the outcome recorded in one. */
export class Performer {
  readonly #store: ActorStore;
  readonly #processes: Processes;
  readonly #pauses: Pauses;
  readonly #recorder: Recorder;

  constructor(store: ActorStore, processes: Processes, pauses: Pauses) {
    this.#store = store;
    this.#processes = processes;
    this.#pauses = pauses;
    this.#recorder = new Recorder(store);
  }

  /**
   * Resolves when the outcomes have been recorded, or the jobs handed back.
   *
   * @param over aborted when the stage is paused or the process stops
   * @throws anything that keeps an outcome from being recorded; the job is then handed out again
   */
  async run(stage: Stage, jobs: readonly HandedJob[], over: AbortSignal): Promise<void> {
    const handed = { stage, jobs, over };
    if (over.aborted) return this.#giveBack(handed, jobs);
    const claims = jobs.map(claimOf);
    try {
      await this.#processes.claim(workerQueue(stage), claims);
      await this.#performAndRecord(handed);
    } finally {
      this.#processes.performed(claims);
    }
  }

  async #performAndRecord(handed: Handed): Promise<void> {
    const { stage, jobs, over } = handed;
    // Paused while the claim was being noted: whoever hands back what is claimed may have looked before.
    if (over.aborted) return this.#giveBack(handed, jobs);
    const started = this.#store.timing.elapsedMs();
    for (const job of jobs) this.#began(stage, job);
    const performed = await this.#perform(handed);
    const recorded = await Promise.allSettled(
      jobs.map((job, n) => this.#record(handed, job, performed[n] ?? 'superseded', started)),
    );
    for (const result of recorded) if (result.status === 'rejected') throw result.reason;
  }

  #began(stage: Stage, job: HandedJob): void {
    const { id, attempt, due } = job.data;
    const waitedMs = this.#store.registry.clock.now().getTime() - new Date(due).getTime();
    this.#store.observer.workStarted(stage, { id, job: job.id, attempt, waitedMs });
  }

  async #record(handed: Handed, job: HandedJob, performed: Performed, started: number): Promise<void> {
    const { stage } = handed;
    let result = performed;
    if (typeof result === 'object') {
      try {
        await this.#recorder.record({ stage, claim: claimOf(job), data: job.data, outcome: result });
      } catch (error) {
        // A result that cannot be stored is as good as none: the job is handed out again.
        if (!(error instanceof SupersededError)) throw error;
        result = 'superseded';
      }
    }
    if (result === 'interrupted') await this.#giveBack(handed, [job]);
    // Nothing is recorded that would take the claim away.
    if (result === 'superseded') {
      await this.#processes
        .unclaim(claimOf(job))
        .catch((error: unknown) => this.#store.observer.troubled(`${stage.name} unclaim`, error));
    }
    const outcome = typeof result === 'object' ? result : null;
    this.#store.observer.workEnded(stage, {
      id: job.data.id,
      job: job.id,
      outcome: typeof result === 'object' ? result.kind : result,
      code: outcome && 'code' in outcome ? outcome.code : null,
      message: outcome && 'message' in outcome ? outcome.message : null,
      tookMs: this.#store.timing.elapsedMs() - started,
    });
  }

  #giveBack({ stage, over }: Handed, jobs: readonly HandedJob[]): Promise<void> {
    const reason = over.aborted ? messageOf(over.reason) : new PausedError(stage.name).message;
    return this.#processes.giveBack(workerQueue(stage), jobs.map(claimOf), reason);
  }

  /** What came of each job, in their order. */
  async #perform(handed: Handed): Promise<readonly Performed[]> {
    const { stage, jobs, over } = handed;
    const set = jobs.map((job) => this.#workOf(handed, job));
    const outcome = (performed: Outcome): Performed =>
      over.aborted ? this.#brokenOff(performed) : performed;
    if ('perform' in stage) {
      const performOne = async (work: Work) => outcome(await stage.perform(work));
      return Promise.all(set.map((work) => performOne(work).catch((error) => this.#faultOf(handed, error))));
    }
    try {
      const outcomes = await stage.performSet(set);
      if (outcomes.length === set.length) return outcomes.map(outcome);
      throw new RuntimeError(
        'OUTCOMES_MISSING',
        `${stage.name} gave ${outcomes.length} outcomes for ${set.length} pieces of work.`,
      );
    } catch (error) {
      const fault = this.#faultOf(handed, error);
      return set.map(() => fault);
    }
  }

  /** An answer counts, while it is still waited for. What failed may have failed for being broken off. */
  #brokenOff(performed: Outcome): Performed {
    if (performed.kind !== 'failed' && performed.kind !== 'postponed') return performed;
    // That nothing was sent must not be forgotten: nobody could find it out afterwards.
    return performed.unsent ? this.#unsent(performed.code, performed.message) : 'interrupted';
  }

  #unsent(code: string, message: string): Outcome {
    return { kind: 'postponed', until: this.#store.registry.clock.now(), code, message, unsent: true };
  }

  /** What was thrown as a failed attempt or as postponed work, or that it says nothing of the work itself. */
  #faultOf({ stage, over }: Handed, error: unknown): Performed {
    if (error instanceof SupersededError) return 'superseded';
    if (error instanceof NotSentError) return this.#unsent(error.code, error.message);
    if (over.aborted || error instanceof PausedError) return 'interrupted';
    const code = codeOf(error, 'INTERNAL_ERROR');
    const until = notBeforeOf(error);
    if (until) return { kind: 'postponed', until, code, message: messageOf(error) };
    if (code === 'INTERNAL_ERROR') this.#store.observer.troubled(`${stage.name} perform`, error);
    return { kind: 'failed', code, message: messageOf(error), final: isFinal(error) };
  }

  #workOf(handed: Handed, job: HandedJob): Work {
    return {
      id: job.data.id,
      job: job.id,
      attempt: job.data.attempt,
      now: () => this.#store.registry.clock.now(),
      signal: AbortSignal.any([job.signal, handed.over]),
      submitting: () => this.#submitting(handed, job),
    };
  }

  /**
   * That a stage is not paused is asked twice. In the transaction, under the lock that whoever pauses takes: what it
   * stores is stored before any pause. And after its commit: between the two somebody may have paused without waiting
   * for it, see {@link Pauses.pause}. Nothing is sent unless the last answer, given after everything was stored, was no.
   */
  async #submitting({ stage, over }: Handed, job: HandedJob): Promise<Submission> {
    over.throwIfAborted();
    // Known once it was read, also when the answer to the commit is lost: whatever was stored, nothing was sent.
    let isFirst = false;
    try {
      const submission = await this.#announce(stage, claimOf(job), job.data.id, (found) => {
        isFirst = !found.maybeSent;
      });
      await this.#requireNotStopped(stage, over).catch((error: unknown) => {
        // What an earlier worker may have sent stays as it is: the next one asks.
        throw submission.maybeSent ? error : new NotSentError(messageOf(error));
      });
      return submission;
    } catch (error) {
      // Known here from now on: the job would be fetched again at once, in vain.
      if (error instanceof PausedError || error instanceof NotSentError)
        await this.#pauses.look().catch(() => {});
      if (!isPassing(error)) throw error;
      const now = this.#store.registry.clock.now();
      const why = `the database is in trouble: ${messageOf(error)}`;
      throw isFirst ? new NotSentError(why, error) : new NotAnnouncedError(why, error, now);
    }
  }

  async #requireNotStopped(stage: Stage, over: AbortSignal): Promise<void> {
    await this.#pauses.requireRunning(stage.name);
    over.throwIfAborted();
  }

  /** @param onFound told what is known of the submission, before anything is stored */
  #announce(
    stage: Stage,
    claim: Claim,
    id: string,
    onFound: (submission: Submission) => void,
  ): Promise<Submission> {
    return this.#store.transact(async (tx) => {
      const mine = await this.#store.jobs.stillOwns(tx.sql, workerQueue(stage), claim);
      if (!mine) throw new SupersededError(claim.id);
      await tx.load(stage.actor, [id]);
      const before = tx.peek(stage.actor, id)?.context.stages[stage.region];
      const found = before && { number: before.submission, maybeSent: before.submittedAt !== null };
      if (found) onFound(found);
      const event = { type: `${stage.region}.submitting`, job: claim.id, at: tx.now };
      const [result] = await tx.deliver(stage.actor, [{ id, event }]);
      // Not lost: what comes of it is kept as mail until the row can be read.
      if (result?.problem === 'parked') throw new UnreadableError(stage.actor.tables[0].name, id, tx.now);
      if (!result?.accepted || !found) throw new SupersededError(claim.id);
      // Last, so that whoever pauses waits for no row that this transaction waits for.
      if ((await this.#store.storage.heldPauses(tx.sql, [stage.name])).size > 0)
        throw new PausedError(stage.name);
      return found;
    });
  }
}
