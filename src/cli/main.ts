#!/usr/bin/env -S node --max-semi-space-size=4
import '../quick-start.ts';
import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { CliError, EXIT, EXIT_CODES_HELP, type Failure, failureOf, usageError } from './failure.ts';
import { printFailure, surviveClosedPipes } from './output.ts';

/** A command, loaded only when it is called: `status` need not wait for what `serve` needs. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'serve',
    summary: 'run the system',
    load: async () => (await import('./serve.ts')).serveCommand(),
  },
  {
    name: 'demo',
    summary: 'run the whole pipeline with simulated banks on this machine',
    load: async () => (await import('./demo.ts')).demoCommand(),
  },
  {
    name: 'migrate',
    summary: 'bring the database up to this version',
    load: async () => (await import('./migrate.ts')).migrateCommand(),
  },
  {
    name: 'restored',
    summary: 'say that the database was restored from a backup',
    load: async () => (await import('./restored.ts')).restoredCommand(),
  },
  {
    name: 'roles',
    summary: 'print the SQL for roles of the database with few rights',
    load: async () => (await import('./roles.ts')).rolesCommand(),
  },
  {
    name: 'tokens',
    summary: 'make, list and revoke the tokens that operators sign in with',
    load: async () => (await import('./tokens.ts')).tokensCommand(),
  },
  {
    name: 'submit',
    summary: 'send a CSV file of disbursements',
    load: async () => (await import('./submit.ts')).submitCommand(),
  },
  {
    name: 'status',
    summary: 'show how far an envelope has come',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'errors',
    summary: 'show what has stopped in ERROR',
    load: async () => (await import('./operate/views.ts')).errorsCommand(),
  },
  {
    name: 'stages',
    summary: 'list the stages, their work and which are paused',
    load: async () => (await import('./operate/views.ts')).stagesCommand(),
  },
  {
    name: 'retry',
    summary: 'try work again that stopped in ERROR',
    load: async () => (await import('./operate/work.ts')).retryCommand(),
  },
  {
    name: 'release',
    summary: 'let work go on without what failed',
    load: async () => (await import('./operate/work.ts')).releaseCommand(),
  },
  {
    name: 'dispatch',
    summary: 'do work now that waits',
    load: async () => (await import('./operate/work.ts')).dispatchCommand(),
  },
  {
    name: 'cancel',
    summary: 'cancel an envelope',
    load: async () => (await import('./operate/stage.ts')).cancelCommand(),
  },
  {
    name: 'tick',
    summary: 'run the tick of a stage now',
    load: async () => (await import('./operate/stage.ts')).tickCommand(),
  },
  {
    name: 'pause',
    summary: 'stop a stage in all processes',
    load: async () => (await import('./operate/stage.ts')).pauseCommand(),
  },
  {
    name: 'resume',
    summary: 'let a stage go on that was paused',
    load: async () => (await import('./operate/stage.ts')).resumeCommand(),
  },
  {
    name: 'stop-payments',
    summary: 'emergency stop of all payments',
    load: async () => (await import('./operate/stage.ts')).stopPaymentsCommand(),
  },
];

const DOTENV = '.env';
const SETTINGS_HELP =
  '\nSettings come from the environment and from the file .env of the current folder, see .env.example.';

/** The program with the command that the arguments ask for, and with mere names for the others. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('g2p-bridge')
    .description('G2P Bridge: the disbursement pipeline of benefit payments.')
    .version(packageJson.version, '--version', 'show the version')
    .helpOption('-h, --help', 'show what can be done')
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  program.addHelpText('after', `${SETTINGS_HELP}\n${EXIT_CODES_HELP}`);
  // `help NAME` asks for the command as well as NAME itself does.
  const asked = args.filter((arg) => !arg.startsWith('-')).find((arg) => arg !== 'help');
  for (const { name, summary, load } of COMMANDS) {
    const command = name === asked ? await load() : new Command(name);
    command.summary(summary).copyInheritedSettings(program).helpOption('-h, --help', 'show what can be done');
    for (const part of command.commands) part.copyInheritedSettings(command);
    if (name === asked) command.addHelpText('after', EXIT_CODES_HELP);
    program.addCommand(command);
  }
  return program;
}

/** What commander could not make sense of, as a failure; null when it only showed help or the version. */
function commanderFailure(error: CommanderError, asked: string): Failure | null {
  if (error.exitCode === 0) return null;
  // Called without a command, it has shown its help.
  if (error.code === 'commander.help') return usageError('Which command? See the list above.');
  const sentence = error.message
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(/\.$/, '');
  return usageError(`${sentence}. Try: g2p-bridge ${asked}--help`);
}

async function main(args: readonly string[]): Promise<void> {
  surviveClosedPipes();
  const json = args.includes('--json');
  try {
    if (existsSync(DOTENV)) process.loadEnvFile(DOTENV);
    const program = await buildProgram(args);
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    const asked = COMMANDS.some(({ name }) => name === args[0]) ? `${args[0]} ` : '';
    const failure = error instanceof CommanderError ? commanderFailure(error, asked) : failureOf(error);
    if (failure === null) return;
    printFailure(failure, { json });
    if (failure.exitCode === EXIT.internal && !(error instanceof CliError) && error instanceof Error) {
      explain(error);
    }
    process.exitCode = failure.exitCode;
  }
}

/** Where a fault of ours is, for who asks for it. */
function explain(error: Error): void {
  if (process.env.G2P_BRIDGE_LOG_LEVEL === 'debug') process.stderr.write(`${error.stack ?? ''}\n`);
}

await main(process.argv.slice(2));
