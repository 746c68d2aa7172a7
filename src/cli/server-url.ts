import { Option } from 'commander';
import { usageError } from './failure.ts';
import { quoted } from './one-line.ts';

const WILDCARD_HOSTS = new Set(['0.0.0.0', '::', '[::]']);

/**
 * Where a server of this configuration is to be found: `G2P_BRIDGE_HOST`, `_PORT` and `_ROOT_PATH`, or
 * http://127.0.0.1:8000. Read by itself, as a client has no use for the rest of the configuration and should not fail
 * over it.
 */
export function defaultServerUrl(env: Readonly<Record<string, string | undefined>>): string {
  const host = env.G2P_BRIDGE_HOST || '127.0.0.1';
  const reachable = WILDCARD_HOSTS.has(host) ? '127.0.0.1' : host;
  const bracketed = reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable;
  // Kubernetes sets this name to tcp://… where a service is called g2p-bridge; port 0 is one nobody knows beforehand.
  const port = /^[1-9]\d*$/.test(env.G2P_BRIDGE_PORT ?? '') ? env.G2P_BRIDGE_PORT : '8000';
  return `http://${bracketed}:${port}${(env.G2P_BRIDGE_ROOT_PATH ?? '').replace(/\/+$/, '')}`;
}

/** The option `--url`. @param what is to be found there */
export function urlOption(what = 'the partner API'): Option {
  return new Option('--url <url>', `where ${what} is`)
    .default(defaultServerUrl(process.env))
    .argParser(readUrl);
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageError(`--url must begin with http:// or https://, not be ${quoted(text)}.`);
  }
  // They would be shown with the URL, and nothing asks for them.
  if (url.username !== '' || url.password !== '') throw usageError('--url takes no user and no password.');
  return text.replace(/\/+$/, '');
}
