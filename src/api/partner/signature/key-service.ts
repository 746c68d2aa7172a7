import { createHttpClient, type HttpAnswer, type HttpClient } from '../../../connectors/http.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { type KeySource, KeysUnavailableError, type Warn } from './key-source.ts';
import { LruMap } from './lru.ts';
import { NO_KEYS, type PartnerKeys, readPartnerKeys } from './partner-key.ts';

export interface KeyServiceOptions {
  /** Base URL of the partner management service. */
  readonly apiUrl: string;
  /** From the call to the last byte of the answer. */
  readonly requestTimeoutMs: number;
  /** How long keys are fresh; the service may say less in `Cache-Control`. */
  readonly freshMs: number;
  /** How long keys are used while the service does not answer. */
  readonly staleMs: number;
  /** How long it is remembered that a partner has no keys. */
  readonly missingMs: number;
  /** Least time between two requests for the same partner. */
  readonly cooldownMs: number;
  readonly clock: Clock;
  readonly warn: Warn;
}

/** Less than that the service cannot ask for: the keys would be fetched for every request. */
const FRESH_MS_MIN = 30_000;
const RESPONSE_BYTES_MAX = 256 * 1024;
const CONNECTIONS_MAX = 4;
/** Partners that are kept, and as many more who have no keys: names that somebody made up push no partner out. */
const PARTNERS_MAX = 1_000;

/** What is known of a partner. */
interface Entry {
  /** Null while it is not known whether there are any. */
  readonly keys: PartnerKeys | null;
  /** When that was said, and when it was last asked for; milliseconds since 1970. */
  readonly fetchedAtMs: number;
  readonly askedAtMs: number;
  /** How long what was said holds. */
  readonly freshMs: number;
}

/**
 * Keys of partners from the partner management service (`GET /keys/{partner}`), kept in memory: fresh for some minutes,
 * asked for again before that when a signature names a key that is not among them (a partner that rotates its keys
 * waits for nobody), used beyond that while the service does not answer. Requests for one partner that come together
 * wait for one answer.
 */
export class KeyService implements KeySource {
  readonly #options: KeyServiceOptions;
  readonly #http: HttpClient;
  readonly #known = new LruMap<Entry>(PARTNERS_MAX);
  readonly #missing = new LruMap<Entry>(PARTNERS_MAX);
  readonly #underWay = new Map<string, Promise<Entry>>();

  /** @throws TypeError when the URL is none */
  constructor(options: KeyServiceOptions) {
    this.#options = options;
    this.#http = createHttpClient(options.apiUrl, {
      connectTimeoutMs: options.requestTimeoutMs,
      requestTimeoutMs: options.requestTimeoutMs,
      responseBytesMax: RESPONSE_BYTES_MAX,
      connectionsMax: CONNECTIONS_MAX,
    });
  }

  async keysOf(partner: string, kid: string | null): Promise<PartnerKeys> {
    const kept = this.#known.get(partner) ?? this.#missing.get(partner);
    const entry = kept && !this.#mustAsk(kept, kid) ? kept : await this.#refresh(partner, kept);
    if (entry.keys === null) throw new KeysUnavailableError(`The keys of ${partner} cannot be had.`);
    return entry.keys;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  #mustAsk(entry: Entry, kid: string | null): boolean {
    if (this.#ageMs(entry.askedAtMs) < this.#options.cooldownMs) return false;
    if (entry.keys === null || this.#ageMs(entry.fetchedAtMs) >= entry.freshMs) return true;
    const { keys, unusable } = entry.keys;
    // Who has no keys at all is asked about again when that is no longer fresh.
    if (kid === null || keys.length + unusable.length === 0) return false;
    return ![...keys, ...unusable].some((key) => key.kid === null || key.kid === kid);
  }

  /** A clock that was put back makes nothing young. */
  #ageMs(sinceMs: number): number {
    const ageMs = this.#options.clock.now().getTime() - sinceMs;
    return ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs;
  }

  #refresh(partner: string, kept: Entry | undefined): Promise<Entry> {
    const underWay = this.#underWay.get(partner);
    if (underWay) return underWay;
    const asked = this.#ask(partner, kept).finally(() => this.#underWay.delete(partner));
    this.#underWay.set(partner, asked);
    return asked;
  }

  async #ask(partner: string, kept: Entry | undefined): Promise<Entry> {
    const never = new AbortController().signal;
    const outcome = await this.#http.getJson(`/keys/${encodeURIComponent(partner)}`, {}, never);
    const entry =
      outcome.kind === 'failure'
        ? this.#withoutAnswer(partner, kept, outcome.message)
        : this.#answered(partner, kept, outcome);
    const has = entry.keys !== null && entry.keys !== NO_KEYS;
    (has ? this.#known : this.#missing).set(partner, entry);
    (has ? this.#missing : this.#known).delete(partner);
    return entry;
  }

  #answered(partner: string, kept: Entry | undefined, answer: HttpAnswer): Entry {
    const now = this.#options.clock.now().getTime();
    const said = { fetchedAtMs: now, askedAtMs: now };
    // Not known, not active, or without a valid key: the service does not say which.
    if (answer.status === 404) return { ...said, keys: NO_KEYS, freshMs: this.#options.missingMs };
    if (answer.status !== 200) return this.#withoutAnswer(partner, kept, `it answered ${answer.status}`);
    const keys = readPartnerKeys(answer.json);
    if (keys === null) return this.#withoutAnswer(partner, kept, 'its answer is no list of keys');
    for (const { kid, why } of keys.unusable) {
      this.#options.warn({ partner, kid, code: 'PARTNER_KEY_UNUSABLE' }, `A key of ${partner} ${why}.`);
    }
    if (keys.keys.length + keys.unusable.length === 0) {
      return { ...said, keys: NO_KEYS, freshMs: this.#options.missingMs };
    }
    return { ...said, keys, freshMs: freshMsOf(answer.cacheControl, this.#options.freshMs) };
  }

  /** Goes on with the keys there are, unless they are too old. */
  #withoutAnswer(partner: string, kept: Entry | undefined, why: string): Entry {
    const has = kept !== undefined && kept.keys !== null && kept.keys !== NO_KEYS;
    const isUsable = has && this.#ageMs(kept.fetchedAtMs) < this.#options.staleMs;
    this.#options.warn(
      { partner, code: 'PARTNER_KEYS_UNAVAILABLE', stale: isUsable },
      `The key service did not say what keys ${partner} has: ${why}.`,
    );
    const askedAtMs = this.#options.clock.now().getTime();
    if (isUsable) return { ...kept, askedAtMs };
    return { keys: null, fetchedAtMs: askedAtMs, askedAtMs, freshMs: 0 };
  }
}

function freshMsOf(cacheControl: string | null, freshMs: number): number {
  const [, seconds] = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(cacheControl ?? '') ?? [];
  if (seconds === undefined) return freshMs;
  return Math.min(freshMs, Math.max(Number(seconds) * 1000, FRESH_MS_MIN));
}
