import { Command } from 'commander';
import { migrate } from '../db/migrate.ts';
import { announceMove, announceRestore } from '../db/restores.ts';
import { CONFIGURED_DATABASE_HELP, withConfiguredDatabase } from './configured-database.ts';
import { usageError } from './failure.ts';
import { print, printJson } from './output.ts';

/** `restored`: says that the database was put back to an earlier state, so that nothing is paid before it was compared. */
export function restoredCommand(): Command {
  return new Command('restored')
    .description(
      'Say that the database was restored, before any process works on it; pauses what acts on the outside.',
    )
    .option('--reason <text>', 'from what and to which moment it was restored, for whoever resumes')
    .option('--nothing-lost', 'it was only moved, and has everything that it had: nothing is paused')
    .option('--json', 'write the result as one JSON document')
    .addHelpText(
      'after',
      `${CONFIGURED_DATABASE_HELP} What pg_restore has restored is recognised at the first
start and needs no announcement; a restored copy of the files does. docs/backup.md says how to go on.`,
    )
    .action(async ({ reason, nothingLost, json }: Options) => {
      if ((reason === undefined) === (nothingLost === undefined))
        throw usageError('restored takes either --reason TEXT or --nothing-lost.');
      const { resumed, paused } = await withConfiguredDatabase(async ({ url }) => {
        await migrate(url);
        if (reason === undefined) return announceMove(url);
        return { resumed: [], paused: await announceRestore(url, reason) };
      });
      const is =
        paused.length > 0 ? `Paused until somebody resumes: ${paused.join(', ')}.` : 'Nothing is paused.';
      if (json === true) printJson({ resumed, paused });
      else if (reason !== undefined) print(`Noted. ${is}`);
      else
        print(
          `Noted that nothing was lost. ${resumed.length > 0 ? `Goes on: ${resumed.join(', ')}. ` : ''}${is}`,
        );
    });
}

interface Options {
  readonly reason?: string;
  readonly nothingLost?: true;
  readonly json?: true;
}
