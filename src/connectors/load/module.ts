import { createRequire, registerHooks } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ConnectorError } from '../connector-error.ts';

/** Where a connector comes from and which setting said so, for messages. */
export interface Source {
  readonly setting: string;
  /** A built-in name, a package name or a path. */
  readonly specifier: string;
  /** The folder that package names and relative paths start from. */
  readonly folder: string;
}

/** What a module exports, or a connector as it came out of one, not yet checked. */
export type Unchecked = Readonly<Record<string, unknown>>;

/** The methods of a port. */
export interface Port {
  readonly methods: readonly string[];
  /** Those that a connector may leave out. */
  readonly optional: readonly string[];
}

/** The connectors that come with the product, by the name that a setting may use for them. */
const BUILT_IN = new Map<string, () => Promise<Unchecked>>([
  ['example-bank', () => import('../bank/example-bank.ts')],
  ['spar', () => import('../mapper/spar.ts')],
  ['farmer-registry', () => import('../geo/farmer-registry.ts')],
  ['pbms', () => import('../allocation/pbms.ts')],
  ['novu', () => import('../notification/novu.ts')],
]);

/** The conditions of a package's `exports` that Node's `import` fulfils. */
const IMPORT_CONDITIONS = ['node', 'import', 'module-sync', 'node-addons'];

/**
 * Imports a module and has it make a connector.
 *
 * @param factoryName the function that the module must export
 * @param settings what the function is called with
 * @param port what the connector must have
 * @throws ConnectorError CONNECTOR_NOT_LOADED in one line that names the setting, the module and what is missing
 */
export async function create(
  source: Source,
  factoryName: string,
  settings: object,
  port: Port,
): Promise<Unchecked> {
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
  requireMethods(source, connector as Unchecked, port);
  return connector as Unchecked;
}

/**
 * The fault of a connector that cannot be used.
 *
 * @param problem the rest of a sentence that begins with the name of the module
 */
export function notLoaded(source: Source, problem: string): ConnectorError {
  const message = `${source.setting}: "${source.specifier}" ${problem}.`;
  return new ConnectorError('CONNECTOR_NOT_LOADED', message, false);
}

async function importModule(source: Source): Promise<Unchecked> {
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

function requireMethods(source: Source, connector: Unchecked, { methods, optional }: Port): void {
  const missing = methods.find((name) => typeof connector[name] !== 'function');
  if (missing !== undefined) throw notLoaded(source, `made a connector without ${missing}()`);
  const wrong = optional.find(
    (name) => connector[name] !== undefined && typeof connector[name] !== 'function',
  );
  if (wrong !== undefined) throw notLoaded(source, `made a connector whose ${wrong} is not a function`);
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}
