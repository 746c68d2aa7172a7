import { Argument, Command, Option } from 'commander';
import { createToken, listTokens, revokeToken, TOKEN_NAME } from '../api/operator/access/tokens.ts';
import { ROLES, type Role } from '../api/operator/wire/common.ts';
import { connect, type Queryable } from '../db/connection.ts';
import { isMigrated } from '../db/migrate.ts';
import { CONFIGURED_DATABASE_HELP, withConfiguredDatabase } from './configured-database.ts';
import { CliError, EXIT, usageError } from './failure.ts';
import { quoted } from './one-line.ts';
import { print, printJson } from './output.ts';
import { formatTable } from './ui.ts';

/** No name is cut: it is what a token is revoked by. */
const WIDTH_MAX = 250;

interface JsonOption {
  readonly json?: true;
}

const HELP = `${CONFIGURED_DATABASE_HELP}

A viewer looks; an operator also acts; a payer also lets money go. Where an OpenID provider is configured, tokens open
nothing.`;

/** `tokens`: the tokens that operators sign in with where there is no identity provider. */
export function tokensCommand(): Command {
  return new Command('tokens')
    .description('The tokens that operators, and programs of theirs, sign in with.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand())
    .addHelpText('after', HELP);
}

function createCommand(): Command {
  return new Command('create')
    .description('Make a token. It is shown once; only its hash is kept.')
    .addOption(nameOption())
    .addOption(new Option('--role <role>', 'what it opens').choices(ROLES).makeOptionMandatory())
    .addOption(jsonOption())
    .action(async ({ name, role, json }: JsonOption & { name: string; role: Role }) => {
      const token = await withTokens((sql) => createToken(sql, { name, role }, new Date()));
      if (token === null) {
        const sentence = `There is a token called ${quoted(name)} already; revoke it first, or choose another name.`;
        throw new CliError('TOKEN_NAME_TAKEN', sentence, EXIT.refused);
      }
      if (json) return printJson({ name, role, token });
      print(token);
      process.stderr.write(`The token of ${name}, a ${role}. It is not shown again.\n`);
    });
}

function listCommand(): Command {
  return new Command('list')
    .description('List the tokens by name; the tokens themselves are not kept.')
    .addOption(jsonOption())
    .action(async ({ json }: JsonOption) => {
      const tokens = await withTokens(listTokens);
      if (json) return printJson({ tokens });
      if (tokens.length === 0) return print('There are no tokens; the next start of the server makes one.');
      const rows = tokens.map(({ name, role, created_at: at }) => [name, role, at.toISOString()]);
      const columns = [{ title: 'name' }, { title: 'role' }, { title: 'created' }];
      for (const line of formatTable(rows, columns, { widthMax: WIDTH_MAX })) print(line);
    });
}

function revokeCommand(): Command {
  return new Command('revoke')
    .description('Make a token useless, at once, in all processes.')
    .addArgument(new Argument('<name>', 'of the token'))
    .addOption(jsonOption())
    .action(async (name: string, { json }: JsonOption) => {
      if (!(await withTokens((sql) => revokeToken(sql, name, new Date())))) {
        throw new CliError('TOKEN_UNKNOWN', `There is no token called ${quoted(name)}.`, EXIT.refused);
      }
      if (json) printJson({ name, revoked: true });
      else print(`The token ${name} is revoked.`);
    });
}

const jsonOption = (): Option => new Option('--json', 'write the result as one JSON document');

function nameOption(): Option {
  return new Option('--name <name>', 'of the person or program; stands in the journal for what they do')
    .makeOptionMandatory()
    .argParser((name) => {
      if (TOKEN_NAME.test(name)) return name;
      const rule = '1 to 100 letters, digits, dots, hyphens, underscores and @, a letter or digit first';
      throw usageError(`--name takes ${rule}, not ${quoted(name)}.`);
    });
}

/** @throws CliError NOT_MIGRATED when the database is not of this version */
function withTokens<T>(use: (sql: Queryable) => Promise<T>): Promise<T> {
  return withConfiguredDatabase(async ({ url }) => {
    const { sql, close } = connect(url, { max: 1, applicationName: 'g2p-bridge tokens' });
    try {
      if (!(await isReady(sql))) {
        const sentence = 'The database is not of this version: run "g2p-bridge migrate" first.';
        throw new CliError('NOT_MIGRATED', sentence, EXIT.refused);
      }
      return await use(sql);
    } finally {
      await close();
    }
  });
}

async function isReady(sql: Queryable): Promise<boolean> {
  const [table] = await sql<{ name: string | null }[]>`
    select to_regclass('drizzle.__drizzle_migrations')::text as name`;
  return table?.name != null && (await isMigrated(sql));
}
