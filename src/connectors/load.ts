import { createRequire, registerHooks } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BankConnector, BankConnectorSettings } from './bank/bank-connector.ts';
import { ConnectorError } from './connector-error.ts';
import type { MapperConnector, MapperConnectorSettings } from './mapper/mapper-connector.ts';

/** A bank connector named in the configuration. */
export interface BankConnectorImpl {
  /** A built-in name, a package name or a path; see {@link loadBankConnectors}. */
  readonly module: string;
  /** Passed to the connector unchecked. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Where a connector comes from and which setting said so, for messages. */
interface Source {
  readonly setting: string;
  readonly specifier: string;
  /** The folder that package names and relative paths start from. */
  readonly folder: string;
}

type Module = Readonly<Record<string, unknown>>;

/** The connectors that come with the product, by the name that a setting may use for them. */
const BUILT_IN = new Map<string, () => Promise<Module>>([
  ['example-bank', () => import('./bank/example-bank.ts')],
  ['spar', () => import('./mapper/spar.ts')],
]);

/** The conditions of a package's `exports` that Node's `import` fulfils. */
const IMPORT_CONDITIONS = ['node', 'import', 'module-sync', 'node-addons'];

const BANK_METHODS = ['checkFunds', 'blockFunds', 'initiatePayment', 'reconciliationId', 'reversalReason'];
const BANK_OPTIONAL_METHODS = ['inquirePayment', 'releaseBlock', 'close'];
const MAPPER_METHODS = ['resolve'];
const MAPPER_OPTIONAL_METHODS = ['close'];

/**
 * Loads a connector for every sponsor bank code.
 *
 * A module is named `example-bank`, by the name of an installed package, or by a path. Packages and relative paths are
 * looked up from `folder`, so a deployment adds its own without touching the product. The module exports
 * `createBankConnector(settings: BankConnectorSettings)`, which returns a {@link BankConnector} or a promise of one.
 *
 * @param impls which module serves which bank code
 * @param settings what all of them are created with
 * @param folder where to look from; the working directory unless told otherwise
 * @returns the connectors by bank code
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadBankConnectors(
  impls: Readonly<Record<string, BankConnectorImpl>>,
  settings: Omit<BankConnectorSettings, 'bankCode' | 'options'>,
  folder: string = process.cwd(),
): Promise<ReadonlyMap<string, BankConnector>> {
  const connectors = new Map<string, BankConnector>();
  for (const [bankCode, impl] of Object.entries(impls)) {
    const source = {
      setting: `G2P_BRIDGE_BANK_CONNECTORS_IMPLS (${bankCode})`,
      specifier: impl.module,
      folder,
    };
    const connector = await create(source, 'createBankConnector', {
      ...settings,
      bankCode,
      options: impl.options,
    });
    requireMethods(source, connector, BANK_METHODS, BANK_OPTIONAL_METHODS);
    if (typeof connector.blockIsIdempotent !== 'boolean') {
      throw notLoaded(source, 'made a connector whose blockIsIdempotent is not true or false');
    }
    connectors.set(bankCode, connector as unknown as BankConnector);
  }
  return connectors;
}

/**
 * Loads the mapper connector, named `spar`, by package name or by path like {@link loadBankConnectors}. The module
 * exports `createMapperConnector(settings: MapperConnectorSettings)`.
 *
 * @param specifier the module
 * @param settings what it is created with
 * @param folder where to look from; the working directory unless told otherwise
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function loadMapperConnector(
  specifier: string,
  settings: MapperConnectorSettings,
  folder: string = process.cwd(),
): Promise<MapperConnector> {
  const source = { setting: 'G2P_BRIDGE_MAPPER_CONNECTOR_IMPL', specifier, folder };
  const connector = await create(source, 'createMapperConnector', settings);
  requireMethods(source, connector, MAPPER_METHODS, MAPPER_OPTIONAL_METHODS);
  return connector as unknown as MapperConnector;
}

async function create(source: Source, factoryName: string, settings: object): Promise<Module> {
  const loaded = await importModule(source);
  const factory = loaded[factoryName];
  if (typeof factory !== 'function') throw notLoaded(source, `exports no function ${factoryName}`);
  let connector: unknown;
  try {
    connector = await factory(settings);
  } catch (error) {
    throw notLoaded(source, `failed in ${factoryName}: ${firstLine(error)}`);
  }
  if (typeof connector !== 'object' || connector === null) {
    throw notLoaded(source, `returned no object from ${factoryName}`);
  }
  return connector as Module;
}

async function importModule(source: Source): Promise<Module> {
  const builtIn = BUILT_IN.get(source.specifier);
  if (builtIn !== undefined) return builtIn();
  try {
    return await import(pathToFileURL(pathOf(source)).href);
  } catch (error) {
    throw notLoaded(source, `cannot be imported: ${firstLine(error)}`);
  }
}

/** @throws Error of Node when there is no such package */
function pathOf({ specifier, folder }: Source): string {
  const isPath = isAbsolute(specifier) || /^\.\.?[/\\]/.test(specifier);
  return isPath ? resolve(folder, specifier) : packageMain(specifier, folder);
}

/**
 * The file that importing a package would load, looked up from `folder` and not from this file, which may be installed
 * elsewhere. `require.resolve` can look from anywhere but ignores what a package offers to `import` only; with the
 * conditions of `import` it finds exactly what `import` would. The hook is gone before anything else can meet it.
 */
function packageMain(name: string, folder: string): string {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, conditions: IMPORT_CONDITIONS }),
  });
  try {
    return createRequire(join(resolve(folder), 'connectors.js')).resolve(name);
  } finally {
    hooks.deregister();
  }
}

function requireMethods(
  source: Source,
  connector: Module,
  required: readonly string[],
  optional: readonly string[],
): void {
  const missing = required.find((name) => typeof connector[name] !== 'function');
  if (missing !== undefined) throw notLoaded(source, `made a connector without ${missing}()`);
  const wrong = optional.find(
    (name) => connector[name] !== undefined && typeof connector[name] !== 'function',
  );
  if (wrong !== undefined) throw notLoaded(source, `made a connector whose ${wrong} is not a function`);
}

function notLoaded(source: Source, problem: string): ConnectorError {
  const message = `${source.setting}: "${source.specifier}" ${problem}.`;
  return new ConnectorError('CONNECTOR_NOT_LOADED', message, false);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
