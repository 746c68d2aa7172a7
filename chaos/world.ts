import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ProcessGroup } from '../src/cli/demo/process-group.ts';
import { connect } from '../src/db/connection.ts';
import { migrate } from '../src/db/migrate.ts';
import { bridgeSettings } from './bridge-settings.ts';
import type { World } from './contract.ts';
import { DATABASE } from './databases.ts';
import { type JournalDisk, openJournalDisk } from './journal-disk.ts';
import { unlessAborted } from './limits.ts';
import { BENEFICIARIES, PROGRAMS, populate } from './population.ts';
import { ONLOOKER, type PostgresServer, startPostgres } from './postgres.ts';
import { Supervised } from './processes.ts';
import type { Missing } from './proof.ts';
import { findPorts, startProxy, type TcpProxy } from './proxy.ts';
import { randomFor } from './random.ts';
import { RUN_VARIABLE, startReaper } from './reaping.ts';
import {
  BRIDGE_PROCESSES,
  type BridgeProcess,
  SIMULATORS,
  type SimulatorName,
  UPSTREAMS,
  type Upstream,
} from './schedule.ts';
import type { FileTimeline } from './timeline.ts';

/** A world with handles by which faults take hold of it. */
export interface StrikableWorld extends World {
  readonly timeline: FileTimeline;
  readonly postgres: PostgresServer;
  /** Name of the bridge's database. */
  readonly database: string;
  readonly processes: ReadonlyMap<BridgeProcess | SimulatorName, Supervised>;
  proxy(process: BridgeProcess, upstream: Upstream): TcpProxy;
  /** Where a simulator listens, past all faults. */
  simulatorUrl(name: SimulatorName): string;
  /** Sets the clock of a process that many milliseconds ahead, or behind; 0 sets it right. */
  setClock(process: BridgeProcess, byMs: number): Promise<void>;
  /** Null when this machine offers none. */
  readonly journalDisk: JournalDisk | null;
  /** Faults that were asked for and cannot be had. */
  readonly missing: readonly Missing[];
  stop(): Promise<void>;
}

/** What a world is made for. */
export interface WorldOptions {
  /** Names the run; letters, digits and hyphens. */
  readonly run: string;
  readonly seed: number;
  /** Absolute path; for data and logs. */
  readonly folder: string;
  /** Whether the journal is to have a disk of its own. */
  readonly disk: boolean;
  readonly timeline: FileTimeline;
}

const NOVU_API_KEY = 'chaos';
/** The bank sends a statement when an account has rested for so long. */
const AUTO_STATEMENT_MS = 300;

const programPath = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const local = (port: number): string => `http://127.0.0.1:${port}`;
const withPort = (url: string, port: number): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};

const clusterOf = (folder: string): string => join(folder, 'postgres', 'cluster');
const diskOf = (folder: string): string => join(folder, 'journal-disk');
/** What was only half started may take for ever to stop; the reaper ends it then. */
const UNDO_TIMEOUT_MS = 20_000;

/**
 * Starts PostgreSQL, the simulators, the proxies and the processes of the bridge, and lets the outside know the people
 * and programs. Whatever was started is stopped again when something does not start.
 *
 * @param signal gives it up; the process must end then, for its end is what the reaper waits for to clean up
 * @throws Error with what did not start; the reason of `signal`
 */
export async function startWorld(options: WorldOptions, signal: AbortSignal): Promise<StrikableWorld> {
  const undo: (() => Promise<void>)[] = [];
  const dismissReaper = startReaper(options.run, clusterOf(options.folder), diskOf(options.folder));
  const undoAll = async () => {
    for (const step of undo.reverse().splice(0)) {
      await step().catch((error: unknown) =>
        options.timeline.note('trouble', 'stop', { error: String(error) }),
      );
    }
  };
  const stop = async () => {
    await undoAll();
    await dismissReaper();
  };
  const starting = start(options, undo, stop);
  try {
    return await unlessAborted(starting, signal);
  } catch (error) {
    // Given up, it may go on to start something, which nobody would stop but the reaper.
    if (signal.aborted) await Promise.race([undoAll(), delay(UNDO_TIMEOUT_MS)]);
    else await stop();
    throw error;
  }
}

async function start(
  options: WorldOptions,
  undo: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<StrikableWorld> {
  const { folder, timeline } = options;
  await mkdir(join(folder, 'logs'), { recursive: true });
  const ports = await choosePorts();
  const unmount = { now: async () => {} };
  undo.push(() => unmount.now());
  const postgres = await startPostgres(join(folder, 'postgres'), ports.postgres, timeline);
  undo.push(() => postgres.stop());

  const databaseUrl = await postgres.ensureDatabase(DATABASE.bridge);
  await migrate(databaseUrl);
  const openDisk = () =>
    openJournalDisk(diskOf(folder), postgres.clusterDir, databaseUrl, (now) => {
      unmount.now = now;
    });
  const disk = options.disk ? await openDisk() : null;
  if (disk !== null && typeof disk !== 'string') undo.push(() => disk.bringBack());

  const proxies = await startProxies(ports, undo);
  const proxy = (process: BridgeProcess, upstream: Upstream) => proxies[process][upstream];
  const starter = new Starter(options);
  undo.push(() => starter.stop());
  const group = new ProcessGroup();
  undo.push(() => group.stop());
  await Promise.all(
    SIMULATORS.map(async (name) =>
      starter.simulator(name, await postgres.ensureDatabase(DATABASE[name]), ports),
    ),
  );
  const data = {
    pbmsUrl: await postgres.ensureDatabase(DATABASE.pbms),
    registryUrl: await postgres.ensureDatabase(DATABASE.registry),
  };
  await populate(group, { bankUrl: local(ports.bank), sparUrl: local(ports.spar), ...data });

  const startBridge = (name: BridgeProcess) => {
    const through = (url: string) => withPort(url, proxy(name, 'postgres').port);
    return starter.bridge(name, {
      databaseUrl: through(databaseUrl),
      pbmsUrl: through(data.pbmsUrl),
      registryUrl: through(data.registryUrl),
      urlOf: (upstream) => local(proxy(name, upstream).port),
      novuApiKey: NOVU_API_KEY,
      port: ports[name],
    });
  };
  // The first one alone: it makes the operators' token.
  const operatorToken = String((await startBridge('api')).first_operator_token);
  await Promise.all(BRIDGE_PROCESSES.filter((name) => name !== 'api').map(startBridge));
  return {
    apiUrl: local(ports.api),
    operatorToken,
    bankUrl: local(ports.bank),
    novuUrl: local(ports.novu),
    programs: PROGRAMS,
    beneficiaries: BENEFICIARIES,
    openDatabase: () => connect(postgres.urlFor(DATABASE.bridge), { max: 4, applicationName: ONLOOKER }),
    timeline,
    postgres,
    database: DATABASE.bridge,
    processes: starter.processes,
    proxy,
    simulatorUrl: (name) => local(ports[name]),
    setClock: (process, byMs) => writeFile(starter.clockFile(process), String(byMs)),
    journalDisk: typeof disk === 'string' ? null : disk,
    missing:
      typeof disk === 'string'
        ? [{ kind: 'disk', why: `The journal's disk cannot be full in this run: ${disk}.` }]
        : [],
    stop,
  };
}

type Ports = Readonly<Record<BridgeProcess | SimulatorName | 'postgres', number>> & {
  readonly proxies: readonly number[];
};

async function choosePorts(): Promise<Ports> {
  const names = [...BRIDGE_PROCESSES, ...SIMULATORS, 'postgres'] as const;
  const found = await findPorts(names.length + BRIDGE_PROCESSES.length * UPSTREAMS.length);
  const named = Object.fromEntries(names.map((name, n) => [name, found[n] ?? 0]));
  return { ...(named as Record<(typeof names)[number], number>), proxies: found.slice(names.length) };
}

type Proxies = Readonly<Record<BridgeProcess, Readonly<Record<Upstream, TcpProxy>>>>;

async function startProxies(ports: Ports, undo: (() => Promise<void>)[]): Promise<Proxies> {
  const free = [...ports.proxies];
  const started = BRIDGE_PROCESSES.map(async (process) => {
    const ways = UPSTREAMS.map(async (upstream) => {
      const proxy = await startProxy(free.pop() ?? 0, ports[upstream]);
      undo.push(() => proxy.close());
      return [upstream, proxy] as const;
    });
    return [process, Object.fromEntries(await Promise.all(ways))] as const;
  });
  return Object.fromEntries(await Promise.all(started)) as Proxies;
}

/** Starts the processes of a world under supervision. */
class Starter {
  readonly processes = new Map<BridgeProcess | SimulatorName, Supervised>();
  readonly #options: WorldOptions;

  constructor(options: WorldOptions) {
    this.#options = options;
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.values().map((process) => process.stop()));
  }

  clockFile(process: BridgeProcess): string {
    return join(this.#options.folder, `clock-${process}`);
  }

  simulator(name: SimulatorName, databaseUrl: string, ports: Ports) {
    const common = ['--database-url', databaseUrl, '--port', String(ports[name])];
    const own = {
      bank: [
        ...['--statement-upload-url', `${local(ports.api)}/upload_mt940`],
        ...['--auto-statement-ms', String(AUTO_STATEMENT_MS)],
        '--take-repeated-references',
      ],
      spar: [],
      novu: ['--api-key', NOVU_API_KEY],
    };
    return this.#start(name, [programPath(`simulators/${name}/main.ts`), ...common, ...own[name]], {});
  }

  bridge(name: BridgeProcess, surroundings: Parameters<typeof bridgeSettings>[1]) {
    const clock = ['--import', programPath('chaos/clock-jump.ts')];
    const args = [...clock, '--max-semi-space-size=4', programPath('src/cli/main.ts'), 'serve', '--json'];
    return this.#start(name, args, {
      ...bridgeSettings(name, surroundings),
      CHAOS_CLOCK_FILE: this.clockFile(name),
    });
  }

  #start(
    name: BridgeProcess | SimulatorName,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ) {
    const { folder, run, seed, timeline } = this.#options;
    const process = new Supervised(
      {
        name,
        args,
        folder,
        env: { ...env, [RUN_VARIABLE]: run },
        logFile: join(folder, 'logs', `${name}.log`),
      },
      timeline,
      randomFor(seed, `restarts of ${name}`),
    );
    this.processes.set(name, process);
    return process.start();
  }
}
