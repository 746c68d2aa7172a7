import fc from 'fast-check';
import type { RawRequest } from './request.ts';

const BODY = JSON.stringify({ request_header: { request_id: 'R' }, request_body: { request_payload: [] } });

const request = (lines: readonly string[], body = ''): string => `${lines.join('\r\n')}\r\n\r\n${body}`;

const post = (headers: readonly string[], body = BODY): string =>
  request(
    ['POST /get_disbursement_status HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...headers],
    body,
  );

const LENGTH = `Content-Length: ${BODY.length}`;

/** Requests as no client library sends them. */
const KNOWN: Readonly<Record<string, string>> = {
  'no host': request(['GET /ping HTTP/1.1']),
  'two hosts': request(['GET /ping HTTP/1.1', 'Host: a', 'Host: b']),
  'HTTP/1.0': request(['GET /ping HTTP/1.0']),
  'HTTP/0.9': 'GET /ping\r\n\r\n',
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/9.9': request(['GET /ping HTTP/9.9', 'Host: x']),
  TLS: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  nothing: '',
  'blank lines': '\r\n\r\n\r\n\r\n',
  'bare line feeds': 'GET /ping HTTP/1.1\nHost: x\n\n',
  'no method': ' /ping HTTP/1.1\r\n\r\n',
  'unknown method': request(['BREW /ping HTTP/1.1', 'Host: x']),
  'lower-case method': request(['get /ping HTTP/1.1', 'Host: x']),
  CONNECT: request(['CONNECT example.org:443 HTTP/1.1', 'Host: x']),
  'absolute form': request(['GET http://example.org/ping HTTP/1.1', 'Host: x']),
  asterisk: request(['OPTIONS * HTTP/1.1', 'Host: x']),
  'space in the path': request(['GET /ping pong HTTP/1.1', 'Host: x']),
  'control character in the path': request(['GET /pi\u0001ng HTTP/1.1', 'Host: x']),
  'long path': request([`GET /${'x'.repeat(50_000)} HTTP/1.1`, 'Host: x']),
  'long header': request(['GET /ping HTTP/1.1', 'Host: x', `X: ${'y'.repeat(100_000)}`]),
  'many headers': request([
    'GET /ping HTTP/1.1',
    'Host: x',
    ...Array.from({ length: 3_000 }, (_, n) => `x${n}: y`),
  ]),
  'header without a name': request(['GET /ping HTTP/1.1', 'Host: x', ': y']),
  'header without a colon': request(['GET /ping HTTP/1.1', 'Host: x', 'nonsense']),
  'header that is folded': request(['GET /ping HTTP/1.1', 'Host: x', 'X: a', ' b']),
  'U+0000 in a header': request(['GET /ping HTTP/1.1', 'Host: x', 'X: a\u0000b']),
  'no length': post([]),
  'a length that is no number': post(['Content-Length: many']),
  'a negative length': post(['Content-Length: -1']),
  'a huge length': post(['Content-Length: 99999999999999999999']),
  'a length over the limit': post(['Content-Length: 999999999']),
  'two lengths': post([LENGTH, 'Content-Length: 1']),
  'a length and chunks': post([LENGTH, 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  'a length that is too long': post([`Content-Length: ${BODY.length + 10}`]),
  'a length that is too short': post(['Content-Length: 5']),
  'unknown transfer encoding': post(['Transfer-Encoding: nonsense']),
  'transfer encoding that does not end in chunked': post(['Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'),
  'a chunk size that is no number': post(['Transfer-Encoding: chunked'], 'zz\r\nabc\r\n0\r\n\r\n'),
  'a chunk that is cut': post(['Transfer-Encoding: chunked'], 'ff\r\nabc'),
  'a huge chunk size': post(['Transfer-Encoding: chunked'], 'ffffffffffffffff\r\nabc'),
  'a long chunk extension': post(['Transfer-Encoding: chunked'], `1;${'x'.repeat(50_000)}\r\n{\r\n0\r\n\r\n`),
  trailers: post(
    ['Transfer-Encoding: chunked', 'Trailer: X'],
    `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nX: y\r\n\r\n`,
  ),
  'expect 100-continue': post([LENGTH, 'Expect: 100-continue']),
  'expect something else': post([LENGTH, 'Expect: miracles']),
  'upgrade to a web socket': request([
    ...['GET /ping HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket'],
    ...['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='],
  ]),
  'upgrade to HTTP/2': request([
    ...['GET /ping HTTP/1.1', 'Host: x', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'],
    'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
  ]),
  'three in a row': post([LENGTH]).repeat(3),
  'one smuggled in another':
    post([`Content-Length: ${BODY.length}`]) + request(['GET /ping HTTP/1.1', 'Host: x']),
  'an upload that is cut': request(
    [
      ...['POST /upload_mt940 HTTP/1.1', 'Host: x', 'Content-Type: multipart/form-data; boundary=b'],
      'Content-Length: 100000',
    ],
    '--b\r\nContent-Disposition: form-data; name="statement_file"; filename="a"\r\n\r\n:20:A\r\n',
  ),
  'an upload of too much': request([
    ...['POST /upload_mt940 HTTP/1.1', 'Host: x', 'Content-Type: multipart/form-data; boundary=b'],
    'Content-Length: 100000000000',
  ]),
  'an upload whose chunks end early': request(
    [
      ...['POST /upload_mt940 HTTP/1.1', 'Host: x', 'Content-Type: multipart/form-data; boundary=b'],
      'Transfer-Encoding: chunked',
    ],
    '10\r\n--b\r\nContent-Dis\r\n',
  ),
};

const known = fc.constantFrom(...Object.entries(KNOWN));
const change = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 6 }));

/** Bytes on a connection: requests that libraries do not send, and spoilt ones. */
export const rawCase: fc.Arbitrary<RawRequest> = fc.oneof(
  { weight: 3, arbitrary: known.map(([label, text]) => ({ label, bytes: Buffer.from(text, 'latin1') })) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(known, fc.array(change, { minLength: 1, maxLength: 3 }))
      .map(([[label, text], changes]) => {
        let bytes = Buffer.from(text, 'latin1');
        for (const [at, length, put] of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + length)]);
        }
        return { label: `${label}, spoilt`, bytes };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => ({ label: 'bytes', bytes: Buffer.from(bytes) })),
  },
);
