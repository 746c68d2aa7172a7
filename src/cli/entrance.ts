import type { Config } from '../config.ts';
import type { OperatorEntrance } from '../main.ts';
import { print } from './output.ts';

/** How operators sign in, for programs; a token that has just been made is to be found nowhere else. */
export const entranceDocument = ({ kind, firstToken }: OperatorEntrance) => ({
  operators: kind,
  ...(firstToken !== null && { first_operator_token: firstToken }),
});

/**
 * Shows people where the dashboard is and how to sign in. Where nobody looks, that is, where standard output is no
 * terminal, nothing is written among the lines of the log, unless a token has just been made.
 *
 * @param url where the process listens, without the root path
 */
export function showEntrance({ kind, firstToken }: OperatorEntrance, config: Config, url: string): void {
  if (firstToken === null && !process.stdout.isTTY) return;
  print('');
  print(`  Dashboard  ${url}${config.root_path}/`);
  if (firstToken === null) print(`  Sign in    ${signIn(kind, config)}`);
  else for (const line of tokenLines(firstToken)) print(line);
  print('');
}

function signIn(kind: OperatorEntrance['kind'], config: Config): string {
  if (kind === 'oidc') return `at ${config.operator_oidc_issuer}`;
  if (kind === 'loopback') return 'not needed: only this machine is served';
  return 'with a token; "g2p-bridge tokens create" makes one';
}

const tokenLines = (token: string): readonly string[] => [
  '  Sign in    with this token, which lets its holder do everything. It is not shown again:',
  '',
  `             ${token}`,
  '',
  '             "g2p-bridge tokens create" makes more, "g2p-bridge tokens revoke first" ends this one.',
];
