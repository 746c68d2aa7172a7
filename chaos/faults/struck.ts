import type { Fault } from '../schedule.ts';

/** Gives back what a fault has taken away. */
export type GiveBack = () => Promise<void>;

/** What a fault has come to: what is told of it, and how to end it. */
export interface Struck {
  /** Whether there was anything to strike: a process that is just being started cannot be killed. */
  readonly struck: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly giveBack?: GiveBack;
}

/** The faults of one kind. */
export type FaultOf<K extends Fault['kind']> = Extract<Fault, { readonly kind: K }>;
