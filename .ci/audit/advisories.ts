/** An advisory that has been looked at, and until when it need not be looked at again. */
export interface AcceptedAdvisory {
  /** As in its URL: `GHSA-…`. */
  readonly id: string;
  readonly reason: string;
  /** The last day, `YYYY-MM-DD`. */
  readonly until: string;
}

/** An advisory that concerns what runs in production. */
export interface Advisory {
  readonly id: string;
  readonly severity: string;
  readonly package: string;
  readonly title: string;
}

/** What `npm audit --json` said: advisories, or that the registry does not answer such questions. */
export type AuditAnswer =
  | { readonly kind: 'answered'; readonly advisories: readonly Advisory[] }
  | { readonly kind: 'silent' };

/** What must not stay. */
const GRAVE = new Set(['high', 'critical']);

interface Via {
  readonly url?: unknown;
  readonly title?: unknown;
  readonly severity?: unknown;
  readonly name?: unknown;
}

/** Reads the output of `npm audit --json`; anything but a report with its count of packages is no answer. */
export function readAudit(text: string): AuditAnswer {
  const report = parsed(text);
  if (report === null || report.auditReportVersion !== 2 || typeof report.vulnerabilities !== 'object') {
    return { kind: 'silent' };
  }
  const advisories = new Map<string, Advisory>();
  for (const found of Object.values(report.vulnerabilities ?? {})) {
    const vias: unknown = found !== null && typeof found === 'object' && 'via' in found ? found.via : [];
    for (const via of Array.isArray(vias) ? vias : []) {
      // A text is the name of another package, which is listed with the advisory itself.
      if (typeof via !== 'object' || via === null) continue;
      const advisory = advisoryOf(via);
      advisories.set(`${advisory.id} ${advisory.package}`, advisory);
    }
  }
  return { kind: 'answered', advisories: [...advisories.values()] };
}

function advisoryOf({ url, title, severity, name }: Via): Advisory {
  return {
    id: String(url).split('/').at(-1) ?? '',
    severity: String(severity),
    package: String(name),
    title: String(title),
  };
}

/**
 * What is grave and not accepted, and what was accepted and should be looked at again, one sentence each.
 *
 * @param today `YYYY-MM-DD`
 */
export function advisoryProblems(
  advisories: readonly Advisory[],
  accepted: readonly AcceptedAdvisory[],
  today: string,
): readonly string[] {
  const grave = advisories.filter(({ severity }) => GRAVE.has(severity));
  const open = grave.filter(({ id }) => !accepted.some((one) => one.id === id && one.until >= today));
  const expired = accepted.filter(({ until }) => until < today);
  return [
    ...open.map((one) => `${one.package}: ${one.title} (${one.severity}, ${one.id}).`),
    ...expired.map(({ id, until }) => `${id} was accepted until ${until}: look at it again.`),
  ];
}

function parsed(text: string): { auditReportVersion?: unknown; vulnerabilities?: object | null } | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
