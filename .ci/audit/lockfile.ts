/** What of `package.json` is looked at. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  /** Packages whose install scripts may run. */
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

/** A package in `package-lock.json`. */
export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly link?: boolean;
}

export interface Lockfile {
  readonly lockfileVersion?: number;
  readonly packages?: Readonly<Record<string, LockedPackage>>;
}

/** What has been looked at and accepted by somebody, each with the reason. */
export interface Accepted {
  /** Install scripts that are not allowed to run and need not. */
  readonly scripts_not_run: Readonly<Record<string, string>>;
  /** Licences of packages whose entry in the lockfile names none. */
  readonly licences: Readonly<Record<string, { readonly licence: string; readonly reason: string }>>;
}

/** Licences that what we run in production may have. */
const LICENCES = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['Unlicense', 'CC0-1.0', 'MPL-2.0', 'Python-2.0'],
]);

const EXACT = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
/** A tarball of the registry; where the registry is, is not for the lockfile to say. */
const REGISTRY = /^https:\/\/[^/]+\/(?:.*\/)?-\/[^/]+\.tgz$/;

/**
 * Everything that is wrong with what is to be installed, one sentence each; empty when all is well.
 *
 * @param isInstalled whether a path of the lockfile is installed here: nothing may be that has no hash
 */
export function lockfileProblems(
  manifest: Manifest,
  lockfile: Lockfile,
  accepted: Accepted,
  isInstalled: (path: string) => boolean,
): readonly string[] {
  const { packages } = lockfile;
  if (lockfile.lockfileVersion !== 3 || packages === undefined)
    return ['package-lock.json is not of version 3.'];
  const locked = Object.entries(packages).filter(([path]) => path !== '');
  return [
    ...locked.flatMap(([path, entry]) => originProblems(path, entry, isInstalled(path))),
    ...locked.flatMap(([path, entry]) => licenceProblems(nameOf(path), entry, accepted)),
    ...versionProblems(manifest, packages),
    ...scriptProblems(manifest, locked, accepted),
  ];
}

/** Packages without a hash that are not installed here: for development on other platforms only. */
export function unhashedElsewhere(lockfile: Lockfile): readonly string[] {
  const locked = Object.entries(lockfile.packages ?? {}).filter(([path]) => path !== '');
  return locked.filter(([, { integrity }]) => integrity === undefined).map(([path]) => nameOf(path));
}

/** The name of a package, from where it is installed. */
const nameOf = (path: string): string =>
  path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

function originProblems(path: string, entry: LockedPackage, isInstalled: boolean): string[] {
  const name = nameOf(path);
  const { resolved, integrity, deprecated } = entry;
  const problems: string[] = [];
  if (entry.link === true || !path.includes('node_modules/'))
    problems.push(`${path} is a folder, not a package.`);
  else if (resolved !== undefined && !REGISTRY.test(resolved)) {
    problems.push(`${name} comes from ${resolved.replace(/\/\/[^/]*@/, '//')}, not from a registry.`);
  }
  if (integrity === undefined) {
    if (isInstalled || !isForElsewhere(entry)) problems.push(`${name} has no hash.`);
  } else if (!SHA512.test(integrity)) problems.push(`${name} has no SHA-512 hash.`);
  if (deprecated !== undefined) problems.push(`${name} is deprecated: ${deprecated}`);
  return problems;
}

/** npm leaves out the hashes of optional packages for other platforms that it has never seen. */
const isForElsewhere = ({ dev, optional }: LockedPackage): boolean => dev === true && optional === true;

/** Of what runs in production; what is for development only is not passed on. */
function licenceProblems(name: string, entry: LockedPackage, accepted: Accepted): string[] {
  if (entry.dev === true || entry.devOptional === true) return [];
  const licence = entry.license ?? accepted.licences[name]?.licence;
  if (licence === undefined) return [`${name} names no licence.`];
  return isLicenceAllowed(licence) ? [] : [`${name} has the licence ${licence}, which is not on the list.`];
}

/** SPDX expressions: of alternatives one must be allowed, of what is joined all. */
function isLicenceAllowed(expression: string): boolean {
  const alternatives = expression.replace(/^\((.*)\)$/, '$1').split(/ OR /);
  return alternatives.some((one) => one.split(/ AND /).every((licence) => LICENCES.has(licence.trim())));
}

function versionProblems(manifest: Manifest, packages: Readonly<Record<string, LockedPackage>>): string[] {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  return wanted.flatMap(([name, version]) => {
    if (!EXACT.test(version)) return [`package.json has ${name} at ${version}, which is no exact version.`];
    const locked = packages[`node_modules/${name}`]?.version;
    return locked === version
      ? []
      : [`package.json has ${name} at ${version}, package-lock.json at ${locked}.`];
  });
}

function scriptProblems(
  { allowScripts = {} }: Manifest,
  locked: readonly (readonly [string, LockedPackage])[],
  accepted: Accepted,
): string[] {
  const having = new Set(locked.filter(([, entry]) => entry.hasInstallScript).map(([path]) => nameOf(path)));
  const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name] === true);
  const known = new Set([...allowed, ...Object.keys(accepted.scripts_not_run)]);
  return [
    ...[...having]
      .filter((name) => !known.has(name))
      .map((name) => `${name} has an install script that nobody has looked at.`),
    ...[...known]
      .filter((name) => !having.has(name))
      .map((name) => `${name} may run an install script and has none.`),
  ];
}
