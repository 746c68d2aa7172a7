import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const readyTimeoutMs = 20_000;
const stderrCharactersMax = 20_000;

/** A simulator running as a process of its own. */
export interface Simulator {
  /** Where it listens, without a slash at the end. */
  url: string;
  pid: number;
  /** Asks it to stop (SIGTERM) and waits. @returns its exit code */
  stop(): Promise<number | null>;
  /** Kills it (SIGKILL) and waits. What it kept in its database stays. */
  kill(): Promise<void>;
  /** What it has written to stderr so far. */
  stderr(): string;
}

export interface SparOptions {
  /** A database that exists; the simulator makes its tables there. */
  databaseUrl: string;
  /** Left out or 0: a free one. Give the old one to restart a simulator at the same address. */
  port?: number;
}

export interface TrustingOptions extends SparOptions {
  /** URL or file of the keys that must have signed bearer tokens; left out: none is asked for. */
  requireToken?: string;
  /** Who must have issued the tokens; left out: anybody with such a key. */
  tokenIssuer?: string;
}

export interface SparTrustOptions extends TrustingOptions {
  /** URL or file of the keys that must have signed requests; left out: they need no signature. */
  requireSignature?: string;
}

export interface BankOptions extends SparOptions {
  statementUploadUrl?: string;
  statementUploadToken?: string;
  /** An account's statement is made by itself after so much rest, ms; left out: never. */
  autoStatementMs?: number;
  statementEntriesMax?: number;
  ownBankCode?: string;
  /** A bank that debits twice whoever pays twice under two keys. */
  takeRepeatedReferences?: boolean;
}

export interface NovuOptions extends SparOptions {
  /** The key that requests must carry; left out: none is asked for. */
  apiKey?: string;
  /** How long every request takes besides its work, ms; left out: no time. */
  delayMs?: number;
}

export interface IdentityOptions {
  /** Left out or 0: a free one. Give the old one to restart a simulator at the same address; its keys are new. */
  port?: number;
  /** How long a token is good for, seconds; left out: 300. */
  tokenSeconds?: number;
  /** Who may ask for tokens; left out: `g2p-bridge` with the secret `secret`, and `g2p-bridge-dashboard`, to which people of this machine sign in. */
  clients?: readonly {
    client_id: string;
    client_secret?: string;
    scope?: string;
    /** Where people who sign in to it may be sent back to; on this machine any port will do. */
    redirect_uris?: readonly string[];
  }[];
  /** Who can sign in; left out: `vera`, `otto`, `paula` and `nora`, see simulators/README.md. */
  users?: readonly {
    sub: string;
    name: string;
    preferred_username?: string;
    roles?: readonly string[];
    claims?: Record<string, unknown>;
  }[];
  /** What it calls itself; left out: its URL. */
  issuer?: string;
}

/**
 * Starts the sponsor bank and waits until it listens.
 * @throws Error with what it wrote to stderr, when it ends or takes over 20 s to start
 */
export function startBank(options: BankOptions): Promise<Simulator> {
  return startSimulator('bank', [
    ...commonArguments(options),
    ...argument('--statement-upload-url', options.statementUploadUrl),
    ...argument('--statement-upload-token', options.statementUploadToken),
    ...argument('--auto-statement-ms', options.autoStatementMs),
    ...argument('--statement-entries-max', options.statementEntriesMax),
    ...argument('--own-bank-code', options.ownBankCode),
    ...(options.takeRepeatedReferences === true ? ['--take-repeated-references'] : []),
  ]);
}

/**
 * Starts SPAR and waits until it listens.
 * @throws Error with what it wrote to stderr, when it ends or takes over 20 s to start
 */
export function startSpar(options: SparTrustOptions): Promise<Simulator> {
  return startSimulator('spar', [
    ...trustingArguments(options),
    ...argument('--require-signature', options.requireSignature),
  ]);
}

/**
 * Starts the key manager and waits until it listens.
 * @throws Error with what it wrote to stderr, when it ends or takes over 20 s to start
 */
export function startKeyManager(options: TrustingOptions): Promise<Simulator> {
  return startSimulator('keymanager', trustingArguments(options));
}

/**
 * Starts Novu and waits until it listens.
 * @throws Error with what it wrote to stderr, when it ends or takes over 20 s to start
 */
export function startNovu(options: NovuOptions): Promise<Simulator> {
  return startSimulator('novu', [
    ...commonArguments(options),
    ...argument('--api-key', options.apiKey),
    ...argument('--delay-ms', options.delayMs),
  ]);
}

/**
 * Starts the identity server (OpenID Connect and OAuth) and waits until it listens.
 * @throws Error with what it wrote to stderr, when it ends or takes over 20 s to start
 */
export function startIdentity(options: IdentityOptions = {}): Promise<Simulator> {
  return startSimulator('identity', [
    ...argument('--port', options.port),
    ...argument('--token-seconds', options.tokenSeconds),
    ...argument('--clients', options.clients && JSON.stringify(options.clients)),
    ...argument('--users', options.users && JSON.stringify(options.users)),
    ...argument('--issuer', options.issuer),
  ]);
}

function commonArguments(options: SparOptions): string[] {
  return ['--database-url', options.databaseUrl, ...argument('--port', options.port)];
}

function trustingArguments(options: TrustingOptions): string[] {
  return [
    ...commonArguments(options),
    ...argument('--require-token', options.requireToken),
    ...argument('--token-issuer', options.tokenIssuer),
  ];
}

function argument(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}

async function startSimulator(name: string, args: readonly string[]): Promise<Simulator> {
  const main = fileURLToPath(new URL(`../../simulators/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrCharactersMax);
  });
  const ended = once(child, 'exit');
  const url = await readyUrl(child).catch((error: Error) => {
    child.kill('SIGKILL');
    throw new Error(`The ${name} simulator did not start: ${error.message} ${stderr}`);
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await ended;
  };
  return {
    url,
    pid: child.pid ?? 0,
    stop: () => end('SIGTERM').then(() => child.exitCode),
    kill: () => end('SIGKILL'),
    stderr: () => stderr,
  };
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('It has no stdout.');
  const lines = createInterface({ input: child.stdout });
  const [line] = await once(lines, 'line', {
    signal: AbortSignal.any([AbortSignal.timeout(readyTimeoutMs), endSignal(child)]),
  });
  const ready: unknown = JSON.parse(line);
  if (typeof ready === 'object' && ready !== null && 'url' in ready && typeof ready.url === 'string') {
    return ready.url;
  }
  throw new Error(`It wrote "${line}".`);
}

function endSignal(child: ChildProcess): AbortSignal {
  const controller = new AbortController();
  child.once('exit', (code) => controller.abort(new Error(`It ended with exit code ${code}.`)));
  return controller.signal;
}
