import { Command, Option } from 'commander';
import { grantsSql, ROLE_PREFIX, ROLE_PREFIX_DEFAULT, roleNames, rolesSql } from '../db/roles.ts';
import { usageError } from './failure.ts';
import { quoted } from './one-line.ts';
import { print, printJson } from './output.ts';

const HELP = `
Run it as an administrator, in the database: g2p-bridge roles | psql -v ON_ERROR_STOP=1 DATABASE
Then give each role a password (psql: \\password NAME), let "g2p-bridge migrate --roles" run as the owner, and have
processes connect as the role that is theirs. What the owner has to give again after a migration, it gives by itself.`;

/** `roles`: the SQL that makes the database's roles. */
export function rolesCommand(): Command {
  return new Command('roles')
    .description('Print the SQL that makes a role of the database for each: owner, api, worker, readonly.')
    .addOption(rolePrefixOption())
    .option('--json', 'write names and SQL as one JSON document')
    .addHelpText('after', HELP)
    .action(({ rolePrefix, json }: { readonly rolePrefix: string; readonly json?: true }) => {
      const names = roleNames(rolePrefix);
      const sql = `begin;\n${rolesSql(names)}${grantsSql(names)}commit;`;
      if (json === true) printJson({ roles: names, sql });
      else print(sql);
    });
}

/** What names of roles begin with. */
export function rolePrefixOption(): Option {
  return new Option('--role-prefix <prefix>', 'what the names of the roles begin with')
    .default(ROLE_PREFIX_DEFAULT)
    .argParser((prefix) => {
      if (ROLE_PREFIX.test(prefix)) return prefix;
      const rule = '1 to 40 small letters, digits and underscores, no digit first';
      throw usageError(`--role-prefix takes ${rule}, not ${quoted(prefix)}.`);
    });
}
