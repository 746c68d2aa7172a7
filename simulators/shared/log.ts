import { type Logger, pino } from 'pino';

/** A logger of warnings and errors: JSON lines on stderr, since stdout carries the ready line. */
export function createLog(name: string): Logger {
  return pino({ name, level: 'warn', base: { pid: process.pid } }, pino.destination({ fd: 2, sync: true }));
}
