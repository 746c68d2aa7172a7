/**
 * Loaded into a process before anything else (`node --import`): shifts its wall clock by the milliseconds that the file
 * named in CHAOS_CLOCK_FILE holds, now and whenever it changes. Timers and `performance.now()` are left alone, as on a
 * machine whose clock is set.
 */
import { readFileSync } from 'node:fs';

const LOOK_MS = 200;
const file = process.env.CHAOS_CLOCK_FILE ?? '';
const RealDate = Date;
const realNow = Date.now.bind(Date);
let offsetMs = read();

function read(): number {
  try {
    const value = Number(readFileSync(file, 'utf8'));
    return Number.isFinite(value) ? value : 0;
  } catch {
    return 0;
  }
}

const now = () => realNow() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
RealDate.prototype.constructor = globalThis.Date;

setInterval(() => {
  offsetMs = read();
}, LOOK_MS).unref();
