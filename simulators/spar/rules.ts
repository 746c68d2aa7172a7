import { createHash } from 'node:crypto';
import { z } from 'zod';

const strangersMax = 10_000;
const share = z.number().min(0).max(1).default(0);

/** What `POST /_control` takes as `rules`: how answers of `/resolve` depart from what is right. */
export const rulesSchema = z
  .strictObject({
    /** Items come in another order than they were asked for. */
    reorder: z.boolean().default(false),
    /** The part of the ids that no answer mentions; the same ids each time, as with the other parts. */
    leave_out: share,
    /** The part of the ids that are answered twice, both times alike. */
    repeat: share,
    /** The part of the ids that are answered twice, with different addresses. */
    contradict: share,
    /** The part of the ids whose answer names another id. */
    mistake: share,
    /** Items about references that nobody asked for, in every answer. */
    strangers: z.int().min(0).max(strangersMax).default(0),
    /** The next answers are HTTP 200 with an ERROR header; `count` of them, or all. */
    error_header: z
      .strictObject({
        code: z.string().max(256).nullable(),
        message: z.string().max(2_048).nullable(),
        count: z.int().min(1).optional(),
      })
      .nullable()
      .default(null),
  })
  .nullable();

export type RulesSpec = z.infer<typeof rulesSchema>;

/** An error that takes the place of an answer. */
export interface HeaderError {
  code: string | null;
  message: string | null;
}

interface Item {
  reference_id: string;
  id: string;
  fa: string | null;
}

/** How this mapper is set to answer. In memory only. */
export class Rules {
  #spec: NonNullable<RulesSpec> = rulesSchema.unwrap().parse({});
  #seed = 1;
  #errors = 0;
  #active = 0;
  #mostAtOnce = 0;

  /** Replaces all rules; null clears them. What was counted is forgotten. */
  replace(spec: RulesSpec, seed = this.#seed): void {
    this.#spec = spec ?? rulesSchema.unwrap().parse({});
    this.#seed = seed;
    this.#errors = 0;
    this.#mostAtOnce = this.#active;
  }

  /** The error that the next answer is, if any. */
  nextError(): HeaderError | null {
    const { error_header: error } = this.#spec;
    if (error === null || this.#errors >= (error.count ?? Number.POSITIVE_INFINITY)) return null;
    this.#errors += 1;
    return { code: error.code, message: error.message };
  }

  /** Notes that a request has begun; the returned function notes that it is over. */
  begin(): () => void {
    this.#active += 1;
    this.#mostAtOnce = Math.max(this.#mostAtOnce, this.#active);
    return () => {
      this.#active -= 1;
    };
  }

  /** What becomes of right items. */
  spoil<T extends Item>(items: readonly T[]): T[] {
    const { reorder, strangers, ...shares } = this.#spec;
    const spoilt = items.flatMap((item): T[] => {
      if (this.#strikes('leave_out', item, shares.leave_out)) return [];
      if (this.#strikes('mistake', item, shares.mistake)) return [{ ...item, id: `${item.id}-other` }];
      if (this.#strikes('repeat', item, shares.repeat)) return [item, item];
      if (this.#strikes('contradict', item, shares.contradict))
        return [item, { ...item, fa: `other.${item.fa}` }];
      return [item];
    });
    const [first] = items;
    for (let n = 0; first !== undefined && n < strangers; n += 1) {
      spoilt.push({ ...first, reference_id: `STRANGER-${n}` });
    }
    return reorder ? spoilt.sort((a, b) => this.#order(a) - this.#order(b)) : spoilt;
  }

  /** The rules, and how many requests for `/resolve` were under way at most at the same time since they were set. */
  report(): object {
    return { ...this.#spec, most_at_once: this.#mostAtOnce };
  }

  /** The same for an id whatever else is asked, so that a test can tell who is struck. */
  #strikes(rule: string, { id }: Item, part: number): boolean {
    return part > 0 && this.#number(rule, id) < part;
  }

  #order({ reference_id: reference }: Item): number {
    return this.#number('reorder', reference);
  }

  /** From 0 (included) to 1 (excluded). */
  #number(rule: string, text: string): number {
    return createHash('sha256').update(`${this.#seed} ${rule} ${text}`).digest().readUInt32BE() / 2 ** 32;
  }
}
