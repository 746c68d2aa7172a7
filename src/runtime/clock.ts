/** Where the runtime and everything on it takes the time from. */
export interface Clock {
  /** The present moment (UTC). */
  now(): Date;
}

/** The time of the machine it runs on. */
export const systemClock: Clock = { now: () => new Date() };
