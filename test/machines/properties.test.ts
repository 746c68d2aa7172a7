import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchEvent, batchMachine } from '../../src/machines/batch.ts';
import { type EnvelopeEvent, envelopeMachine } from '../../src/machines/envelope.ts';
import { NEW_STAGE } from '../../src/machines/stage.ts';
import { later, newBatch, newEnvelope, run, START, seen, stageOf } from './records.ts';
import { everyStep, PROCESSED, PROCESSING, type SentEvent, SUBJECTS, WAITING } from './sequences.ts';
import { microsteps } from './walks.ts';

/** What holds for every machine under any sequence of events, in place or not. */

const RESULTS = ['submitting', 'succeeded', 'refused', 'failed', 'postponed'];
const CALLED_OFF = 'ENVELOPE_CANCELLED';

/** The region and the kind of an event, when it is a result under the job that owns the stage. */
function ownResult(before: unknown, { type, job }: SentEvent): readonly [string, string] | null {
  const [region = '', kind = ''] = type.split('.');
  return RESULTS.includes(kind) && job === stageOf(before, region).jobId ? [region, kind] : null;
}

describe.each(SUBJECTS)('$name, whatever happens to it', (subject) => {
  it('never uses more attempts than allowed', () => {
    let usedUp = 0;
    everyStep(subject, ({ snapshot, maxAttempts }) => {
      for (const region of subject.regions) {
        const { attempts } = stageOf(snapshot, region);
        expect(attempts).toBeLessThanOrEqual(maxAttempts);
        if (attempts === maxAttempts) usedUp += 1;
      }
    });
    expect(usedUp).toBeGreaterThan(0);
  });

  it('leaves PROCESSED only to begin anew, and NOT_APPLICABLE when enabled, skipped or begun anew', () => {
    let changes = 0;
    everyStep(
      subject,
      ({ before, event }) => {
        for (const micro of microsteps(subject.machine, before as never, event)) {
          for (const region of subject.regions) {
            const [from, to] = [seen(micro.before).value[region] ?? '', seen(micro.after).value[region]];
            if (from === to) continue;
            changes += 1;
            const cause = micro.event.type.replace(`${region}.`, '');
            if (PROCESSED.includes(from)) expect(['restart', 'reset']).toContain(cause);
            if (from !== 'NOT_APPLICABLE') continue;
            expect(PROCESSED.includes(to ?? '') ? ['skip'] : ['enable', 'restart']).toContain(cause);
          }
        }
      },
      30,
    );
    expect(changes).toBeGreaterThan(0);
  });

  it('is not changed at all by a result under a foreign job', () => {
    let foreign = 0;
    everyStep(subject, ({ before, event, snapshot, effects }) => {
      const [region = '', kind = ''] = event.type.split('.');
      if (!RESULTS.includes(kind) || event.job === stageOf(before, region).jobId) return;
      if (stageOf(before, region).jobId !== null) foreign += 1;
      expect(snapshot).toBe(before);
      expect(effects).toEqual([]);
    });
    expect(foreign).toBeGreaterThan(0);
  });

  it('belongs to a job exactly while it is in progress, and has a due date only while it waits', () => {
    everyStep(subject, ({ snapshot }) => {
      for (const region of subject.regions) {
        const state = seen(snapshot).value[region] ?? '';
        const { jobId, dueAt } = stageOf(snapshot, region);
        expect(jobId !== null, state).toBe(PROCESSING.includes(state));
        if (dueAt !== null) expect(WAITING).toContain(state);
      }
    });
  });

  it('keeps the time it has when it becomes due once more', () => {
    let kept = 0;
    everyStep(subject, ({ before, event, snapshot, effects }) => {
      const [region = '', kind] = event.type.split('.');
      if (kind !== 'due' || stageOf(before, region).dueAt === null) return;
      kept += 1;
      expect(snapshot).toBe(before);
      expect(effects).toEqual([]);
    });
    expect(kept).toBeGreaterThan(0);
  });

  it('asks for exactly one job for each dispatch that it follows, and for none otherwise', () => {
    everyStep(subject, ({ before, event, snapshot, effects }) => {
      const jobs = effects.filter(({ type }) => type === 'enqueue').map(({ params }) => params);
      const [region = '', kind] = event.type.split('.');
      const waited = kind === 'dispatch' && WAITING.includes(seen(before).value[region] ?? '');
      expect(jobs).toEqual(waited ? [{ region, job: event.job }] : []);
      if (waited) expect(stageOf(snapshot, region).jobId).toBe(event.job);
    });
  });

  it('uses up no attempt when it is postponed, and waits until it may be tried again', () => {
    let postponed = 0;
    everyStep(subject, ({ before, event, snapshot, effects }) => {
      const [region, kind] = ownResult(before, event) ?? [];
      if (region === undefined || kind !== 'postponed') return;
      // A cancelled envelope waits for nothing.
      if (seen(before).value.cancellation === 'Cancelled') return;
      postponed += 1;
      const was = stageOf(before, region);
      expect(stageOf(snapshot, region)).toEqual({
        ...was,
        jobId: null,
        errorCode: event.code,
        dueAt: event.retryAt,
        timestamp: event.at,
        submittedAt: event.unsent ? null : was.submittedAt,
      });
      expect(WAITING).toContain(seen(snapshot).value[region]);
      expect(effects).toEqual([]);
    });
    expect(postponed).toBeGreaterThan(0);
  });

  it('is called off, and counts no attempt, when the work finds its envelope cancelled', () => {
    let off = 0;
    everyStep(subject, ({ before, event, snapshot, effects }) => {
      const [region, kind] = ownResult(before, event) ?? [];
      if (region === undefined || kind !== 'failed' || event.code !== CALLED_OFF) return;
      off += 1;
      const { attempts } = stageOf(before, region);
      expect(seen(snapshot).value[region]).toBe('NOT_APPLICABLE');
      expect(stageOf(snapshot, region)).toMatchObject({ attempts, errorCode: CALLED_OFF, dueAt: null });
      // Those who wait for the end of this attempt hear of it; nothing else is asked for.
      expect(effects.filter(({ type }) => type !== 'tell')).toEqual([]);
    });
    expect(off).toBeGreaterThan(0);
  });

  it('forgets everything when it begins anew, and never submits again under the same key', () => {
    let [begun, sent] = [0, 0];
    everyStep(subject, ({ before, event }) => {
      for (const { event: cause, ...micro } of microsteps(subject.machine, before as never, event)) {
        const [region = '', kind = ''] = cause.type.split('.');
        if (!['restart', 'reset'].includes(kind)) continue;
        const alternatives = new Set(micro.transitions.map(({ eventType }) => eventType));
        if (alternatives.size === 0) {
          const nothingToReset = kind === 'reset' && seen(micro.before).value[region] === 'NOT_APPLICABLE';
          expect(nothingToReset || !subject.restartable.includes(region)).toBe(true);
        }
        // A cancelled envelope calls off at once what begins anew; that is another step.
        if (!alternatives.has(cause.type)) continue;
        expect(subject.restartable).toContain(region);
        begun += 1;
        const { submission, submittedAt } = stageOf(micro.before, region);
        if (submittedAt !== null) sent += 1;
        expect(stageOf(micro.after, region)).toEqual({
          ...NEW_STAGE,
          submission: submittedAt === null ? submission : submission + 1,
          dueAt: kind === 'restart' ? (cause as SentEvent).dueAt : null,
          timestamp: event.at,
        });
      }
    });
    const some = subject.restartable.length > 0;
    expect([begun > 0, sent > 0]).toEqual([some, some]);
  });

  it('goes to ERROR at once when a fault is final, however many attempts are left', () => {
    let left = 0;
    everyStep(subject, ({ before, event, snapshot, maxAttempts }) => {
      const [region = '', kind] = event.type.split('.');
      if (kind !== 'failed' || !event.final || event.code === CALLED_OFF) return;
      const { jobId, attempts } = stageOf(before, region);
      if (event.job !== jobId) return;
      if (attempts + 1 < maxAttempts) left += 1;
      expect(seen(snapshot).value[region]).toBe('ERROR');
      expect(stageOf(snapshot, region)).toMatchObject({
        attempts: attempts + 1,
        errorCode: 'FAULT',
        dueAt: null,
      });
    });
    expect(left).toBeGreaterThan(0);
  });
});

const at = START;
const created = [
  { type: 'created', at },
  { type: 'batch_received', at, count: 2, quantity: '0.3' },
] as const satisfies EnvelopeEvent[];

describe('"not enough funds"', () => {
  it.each(['funds_available', 'funds_blocked'] as const)(
    'uses up no attempts of %s, however often it is the answer',
    (region) => {
      fc.assert(
        fc.property(fc.array(fc.constantFrom('refused', 'failed'), { maxLength: 40 }), (answers) => {
          let envelope = run(envelopeMachine, newEnvelope({}, 3), created).snapshot;
          let faults = 0;
          for (const [n, answer] of answers.entries()) {
            const time = later(at, n);
            const job = `job-${n}`;
            if (answer === 'failed' && faults === 2) continue;
            envelope = run(envelopeMachine, envelope, [
              { type: `${region}.dispatch`, at: time, job },
              {
                type: `${region}.${answer as 'refused'}`,
                at: time,
                job,
                code: 'SAID',
                retryAt: later(time, 7),
              },
            ]).snapshot;
            if (answer === 'failed') faults += 1;
            expect(stageOf(envelope, region)).toMatchObject({
              attempts: faults,
              errorCode: 'SAID',
              jobId: null,
              dueAt: answer === 'failed' ? later(time, 7) : time,
            });
          }
          const done = run(envelopeMachine, envelope, [
            { type: `${region}.dispatch`, at, job: 'last' },
            { type: 'funds_blocked.succeeded', at, job: 'last', reference: 'B' },
            { type: 'funds_available.succeeded', at, job: 'last' },
          ]).snapshot;
          expect(PROCESSED).toContain(seen(done).value[region]);
          expect(stageOf(done, region).attempts).toBe(faults + 1);
        }),
        { numRuns: 100 },
      );
    },
  );
});

describe('a payment', () => {
  const ready: BatchEvent[] = [
    { type: 'received', at },
    { type: 'fa_resolution.dispatch', at, job: 'fa' },
    { type: 'fa_resolution.succeeded', at, job: 'fa' },
    { type: 'sponsor_bank_dispatch.due', at, dueAt: at },
  ];
  const region = 'sponsor_bank_dispatch';
  const retryAt = later(at, 5);

  it('keeps its idempotency key and the time it was first sent, until the bank has definitely refused it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('failed', 'stale', 'refused'), { maxLength: 8 }), (outcomes) => {
        let batch = run(batchMachine, newBatch('CASH_DIGITAL', 10), ready).snapshot;
        let [submission, sent]: [number, Date | null] = [1, null];
        for (const [n, outcome] of outcomes.entries()) {
          const time = later(at, n);
          const job = `job-${n}`;
          batch = run(batchMachine, batch, [
            { type: `${region}.dispatch`, at: time, job },
            { type: `${region}.submitting`, at: time, job },
            { type: `${region}.${outcome as 'failed'}`, at: time, job, code: 'C', retryAt },
          ]).snapshot;
          sent = outcome === 'refused' ? null : (sent ?? time);
          submission += outcome === 'refused' ? 1 : 0;
          expect(stageOf(batch, region)).toMatchObject({ submission, submittedAt: sent, attempts: n + 1 });
        }
      }),
      { numRuns: 100 },
    );
  });

  it('whose outcome is unknown is still the same submission after an operator has it retried', () => {
    const { snapshot } = run(batchMachine, newBatch('CASH_DIGITAL'), [
      ...ready,
      { type: `${region}.dispatch`, at, job: 'j' },
      { type: `${region}.submitting`, at, job: 'j' },
      { type: `${region}.failed`, at, job: 'j', code: 'PAYMENT_OUTCOME_UNKNOWN', retryAt, final: true },
      { type: `${region}.retry`, at: later(at) },
    ]);
    expect(stageOf(snapshot, region)).toMatchObject({
      submission: 1,
      submittedAt: at,
      attempts: 0,
      dueAt: later(at),
    });
  });
});
