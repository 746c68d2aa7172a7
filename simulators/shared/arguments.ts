import { Command, InvalidArgumentError } from 'commander';

/** Where a simulator listens. */
export interface ListenArguments {
  host: string;
  port: number;
}

/** What a simulator that keeps its state in a database is told on its command line. */
export interface ServerArguments extends ListenArguments {
  databaseUrl: string;
}

/** A command with the options that all simulators share; an unknown or wrong option ends the process with one line. */
export function listenCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 0);
}

/** The same for a simulator that keeps its state in a database. */
export function serverCommand(name: string, description: string): Command {
  return listenCommand(name, description).requiredOption(
    '--database-url <url>',
    'the database that keeps all state; must exist',
  );
}

/** An option parser for whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Must be a whole number from ${min} to ${max}.`);
  };
}
