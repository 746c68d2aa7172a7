import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import accepted from '../../.ci/audit/accepted.json' with { type: 'json' };
import { advisoryProblems, readAudit } from '../../.ci/audit/advisories.ts';
import {
  type LockedPackage,
  type Lockfile,
  lockfileProblems,
  type Manifest,
} from '../../.ci/audit/lockfile.ts';

const HASH = `sha512-${'A'.repeat(86)}==`;
const GOOD: LockedPackage = { version: '1.2.3', integrity: HASH, license: 'MIT' };
const NOTHING_ACCEPTED = { scripts_not_run: {}, licences: {} };

interface Case {
  readonly manifest?: Manifest;
  readonly accepted?: typeof NOTHING_ACCEPTED & Parameters<typeof lockfileProblems>[2];
  readonly isInstalled?: boolean;
}

/** The problems of a lockfile with one package, which departs from what is right so. */
function problemsOf(changes: Partial<LockedPackage>, { manifest, accepted, isInstalled = true }: Case = {}) {
  const lockfile = { lockfileVersion: 3, packages: { '': {}, 'node_modules/one': { ...GOOD, ...changes } } };
  const wanted = manifest ?? { dependencies: { one: '1.2.3' } };
  return lockfileProblems(wanted, lockfile, accepted ?? NOTHING_ACCEPTED, () => isInstalled);
}

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));

describe('the audit of the lockfile', () => {
  it('finds nothing in the one that we have', () => {
    const manifest: Manifest = read('package.json');
    const lockfile: Lockfile = read('package-lock.json');
    expect(lockfileProblems(manifest, lockfile, accepted, () => false)).toEqual([]);
    expect(Object.keys(lockfile.packages ?? {}).length).toBeGreaterThan(100);
  });

  it.each<[string, Partial<LockedPackage>]>([
    ['has no hash', { integrity: undefined as never }],
    ['has no SHA-512 hash', { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }],
    ['comes from git+ssh://github.com/one/one.git', { resolved: 'git+ssh://git@github.com/one/one.git#abc' }],
    ['comes from http://registry.example', { resolved: 'http://registry.example/one/-/one-1.2.3.tgz' }],
    ['comes from https://evil.example/one.tgz', { resolved: 'https://evil.example/one.tgz' }],
    ['comes from file:../one', { resolved: 'file:../one' }],
    ['is a folder', { link: true, resolved: 'elsewhere' }],
    ['is deprecated: use two', { deprecated: 'use two' }],
    ['has the licence AGPL-3.0-only', { license: 'AGPL-3.0-only' }],
    ['has the licence MIT AND GPL-3.0-only', { license: 'MIT AND GPL-3.0-only' }],
    ['names no licence', { license: undefined as never }],
    ['has an install script that nobody has looked at', { hasInstallScript: true }],
    ['package.json has one at 1.2.3, package-lock.json at 1.2.4', { version: '1.2.4' }],
  ])('finds a package that %s', (problem, changes) => {
    expect(problemsOf(changes)).toEqual([expect.stringContaining(problem)]);
  });

  it.each(['^1.2.3', '~1.2.3', '1.x', '*', 'latest', 'git+https://example.org/one.git', 'file:../one'])(
    'refuses %s as a version',
    (version) => {
      const [problem] = problemsOf({}, { manifest: { devDependencies: { one: version } } });
      expect(problem).toMatch(/which is no exact version/);
    },
  );

  it('takes what is right: registries wherever they are, one allowed licence of several, scripts that were allowed', () => {
    expect(problemsOf({ resolved: 'https://registry.example/npm/one/-/one-1.2.3.tgz' })).toEqual([]);
    expect(problemsOf({ license: '(BSD-3-Clause OR GPL-2.0)' })).toEqual([]);
    const manifest = { dependencies: { one: '1.2.3' }, allowScripts: { one: true } };
    expect(problemsOf({ hasInstallScript: true }, { manifest })).toEqual([]);
    expect(problemsOf({}, { manifest })).toEqual([
      expect.stringContaining('may run an install script and has none'),
    ]);
  });

  it('asks no licence of what is for development only', () => {
    const manifest = { devDependencies: { one: '1.2.3' } };
    expect(problemsOf({ license: 'EPL-2.0', dev: true }, { manifest })).toEqual([]);
  });

  it('lets a package without a hash pass only where it is optional, for development, and not installed', () => {
    const { integrity: _, ...unhashed } = GOOD;
    const check = (changes: Partial<LockedPackage>, isInstalled: boolean) =>
      lockfileProblems(
        {},
        { lockfileVersion: 3, packages: { 'node_modules/one': { ...unhashed, ...changes } } },
        NOTHING_ACCEPTED,
        () => isInstalled,
      );
    expect(check({ dev: true, optional: true }, false)).toEqual([]);
    expect(check({ dev: true, optional: true }, true)).toEqual(['one has no hash.']);
    expect(check({ dev: true }, false)).toEqual(['one has no hash.']);
    expect(check({ optional: true }, false)).toEqual(['one has no hash.']);
  });
});

describe('the audit of advisories', () => {
  const via = (severity: string) => ({
    name: 'one',
    title: 'Path traversal',
    url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
    severity,
  });
  const report = (severity: string) =>
    JSON.stringify({
      auditReportVersion: 2,
      vulnerabilities: { one: { via: [via(severity)] }, two: { via: ['one'] } },
    });

  it('takes an error, or nothing, for no answer', () => {
    for (const text of ['', '{"message":"405","statusCode":405}', '<html>', 'null', '[]']) {
      expect(readAudit(text)).toEqual({ kind: 'silent' });
    }
    const none = JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} });
    expect(readAudit(none)).toEqual({ kind: 'answered', advisories: [] });
  });

  it('fails for what is grave, once, until it is accepted, and again when the acceptance ends', () => {
    const problems = (severity: string, accepted: { id: string; reason: string; until: string }[]) => {
      const answer = readAudit(report(severity));
      return advisoryProblems(answer.kind === 'answered' ? answer.advisories : [], accepted, '2026-06-15');
    };
    const one = { id: 'GHSA-aaaa-bbbb-cccc', reason: 'not reachable' };
    expect(problems('critical', [])).toEqual(['one: Path traversal (critical, GHSA-aaaa-bbbb-cccc).']);
    expect(problems('high', [{ ...one, until: '2026-06-15' }])).toEqual([]);
    expect(problems('high', [{ ...one, until: '2026-06-14' }])).toHaveLength(2);
    expect(problems('moderate', [])).toEqual([]);
  });
});
