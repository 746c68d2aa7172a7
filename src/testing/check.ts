import { setTimeout as delay } from 'node:timers/promises';

/**
 * One thing that a connector must do, as something that any test runner can run:
 *
 *     for (const check of bankConnectorContract(harness)) {
 *       test(check.name, { skip: check.skipped ?? false }, check.run);
 *     }
 */
export interface ContractCheck {
  /** Stable name, such as `initiatePayment.error_after`. */
  readonly id: string;
  /** A sentence. */
  readonly name: string;
  /** What the harness lacks for this check; null when it can run. */
  readonly skipped: string | null;
  /**
   * Checks a connector that is made for it and closed afterwards.
   *
   * @throws ContractViolation when the connector breaks the rule; Error when the harness fails or the check is skipped
   */
  readonly run: () => Promise<void>;
}

/** A rule of a port, and what its author needs to know when it is broken. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  /** The rule in a sentence. */
  readonly rule: string;
  /** Where the rule stands: an interface and method of `g2p-bridge-xstate/connectors`. */
  readonly where: string;
  /** What to do about it, in a sentence. */
  readonly remedy: string;
}

/** A connector broke a rule. The message says which, where it stands, what was seen and what to do. */
export class ContractViolation extends Error {
  override readonly name = 'ContractViolation';
  readonly code = 'CONTRACT_VIOLATED';
  readonly rule: Rule;
  /** What the connector did. */
  readonly seen: string;

  constructor(rule: Rule, seen: string) {
    super(`${rule.rule}\n  seen:  ${seen}\n  rule:  ${rule.where}\n  to do: ${rule.remedy}`);
    this.rule = rule;
    this.seen = seen;
  }
}

/** How a check says that the rule is broken. */
export class Judge {
  readonly #rule: Rule;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** @throws ContractViolation */
  fail(seen: string): never {
    throw new ContractViolation(this.#rule, seen);
  }

  /** @throws ContractViolation unless the rule holds */
  require(holds: boolean, seen: string): void {
    if (!holds) this.fail(seen);
  }
}

/**
 * Makes a check.
 *
 * @param missing what the harness lacks, if anything
 * @param body throws by its judge when the rule is broken
 */
export function contractCheck(
  rule: Rule,
  missing: string | null,
  body: (judge: Judge) => Promise<void>,
): ContractCheck {
  return {
    id: rule.id,
    name: rule.name,
    skipped: missing,
    run: async () => {
      if (missing !== null) throw new Error(`The check "${rule.name}" cannot run: ${missing}.`);
      await body(new Judge(rule));
    },
  };
}

/** What became of a call. */
export type Ended<T> =
  | { readonly kind: 'returned'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** It had not ended when the wait was over. */
  | { readonly kind: 'hung' };

/** Makes a call and waits for its end, however it ends, but not longer than `withinMs`. */
export async function endOf<T>(call: () => Promise<T>, withinMs: number): Promise<Ended<T>> {
  const waited = new AbortController();
  const ended = Promise.try(call).then(
    (value): Ended<T> => ({ kind: 'returned', value }),
    (error: unknown): Ended<T> => ({ kind: 'threw', error }),
  );
  const hung = delay(withinMs, { kind: 'hung' } as const, { signal: waited.signal }).catch(
    () => ({ kind: 'hung' }) as const,
  );
  const first = await Promise.race([ended, hung]);
  waited.abort();
  return first;
}

/** What became of a call, in words. */
export function said(ended: Ended<unknown>): string {
  if (ended.kind === 'hung') return 'the call had not ended';
  if (ended.kind === 'returned') return `the call returned ${JSON.stringify(ended.value) ?? 'nothing'}`;
  const { error } = ended;
  return error instanceof Error
    ? `the call threw ${error.name}: ${error.message}`
    : `the call threw ${error}`;
}

/** What became of a check. */
export interface ContractResult {
  readonly id: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped; null when it passed. */
  readonly reason: string | null;
}

/** Runs checks one after the other, without a test runner. */
export async function runContract(checks: readonly ContractCheck[]): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  for (const { id, name, skipped, run } of checks) {
    if (skipped !== null) {
      results.push({ id, name, outcome: 'skipped', reason: skipped });
      continue;
    }
    try {
      await run();
      results.push({ id, name, outcome: 'passed', reason: null });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      results.push({ id, name, outcome: 'failed', reason });
    }
  }
  return results;
}
