/**
 * What became of a request. `sent: false` only when the bank surely received nothing: then, and only then, a payment
 * may be sent again without asking.
 *
 * @typedef {{ kind: 'answer', status: number, json: unknown }
 *   | { kind: 'failure', sent: boolean, code: string, message: string }} Outcome
 */

/** Errors of a connection that was never made. All others may come after the request was sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Codes of what ended a request. Their endings tell the pipeline whether the bank is out of order. */
const CODES = new Map([
  ['TimeoutError', 'BANK_TIMEOUT'],
  ['AbortError', 'BANK_CALL_ABORTED'],
]);

/**
 * Makes one request and reads its answer, whatever the status. Never throws and never repeats.
 *
 * @param {string} method
 * @param {string} url
 * @param {{ headers: Record<string, string>, body?: unknown, bytesMax: number, signal: AbortSignal }} options
 *   `signal` ends everything: it stands for the time-out and for the caller's own signal
 * @returns {Promise<Outcome>}
 */
export async function exchange(method, url, { headers, body, bytesMax, signal }) {
  const place = `${method} ${new URL(url).origin}`;
  if (signal.aborted) {
    const message = `${place} was abandoned before it began.`;
    return { kind: 'failure', sent: false, code: 'BANK_CALL_ABORTED', message };
  }
  try {
    const response = await fetch(url, {
      method,
      signal,
      redirect: 'error',
      headers: {
        accept: 'application/json',
        ...headers,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { kind: 'answer', status: response.status, json: parse(await read(response, bytesMax)) };
  } catch (error) {
    const reason = codeOf(error);
    const sent = !NEVER_CONNECTED.has(reason);
    const code = sent ? (CODES.get(reason) ?? 'BANK_CONNECTION_LOST') : 'BANK_UNREACHABLE';
    return { kind: 'failure', sent, code, message: `${place} had no complete answer (${reason}).` };
  }
}

/**
 * @param {Response} response
 * @param {number} bytesMax
 */
async function read(response, bytesMax) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new RangeError(`The answer is larger than ${bytesMax} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/**
 * @param {string} text
 * @returns {unknown} undefined for what is not JSON
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @param {unknown} error what fetch threw; the reason is in its cause */
function codeOf(error) {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.name : 'unknown';
}
