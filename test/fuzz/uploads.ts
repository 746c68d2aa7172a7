import fc from 'fast-check';
import { writeMt940 } from '../../simulators/bank/mt940-writer.ts';
import { debit } from '../support/records.ts';
import { oddHeaders } from './messages.ts';
import type { FuzzRequest } from './request.ts';

const PATH = '/upload_mt940';
/** More than the server of the run takes. */
const TOO_LARGE_BYTES = 1_500_000;

/** A statement of two entries; no two numbers give the same. */
function statement(number: number, entries: number): Buffer {
  const balance = (amount: string) => ({ mark: 'C' as const, date: '2026-01-05', amount });
  const text = writeMt940({
    reference: `S-${number}`,
    account: '1000200030',
    statementNumber: '1',
    sequenceNumber: '1',
    currency: 'USD',
    opening: balance('1000'),
    closing: balance(String(1000 - entries)),
    entries: Array.from({ length: entries }, (_, n) => debit(`D-${n}`, '1')),
  });
  return Buffer.from([...text].join(''));
}

const change = fc.tuple(fc.nat(), fc.nat(8), fc.uint8Array({ maxLength: 8 }));

const file: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.nat(1_000_000), fc.nat(3)).map(([number, n]) => statement(number, n)) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.nat(1_000_000), fc.nat(3), fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([number, n, changes]) => {
        let bytes = statement(number, n);
        for (const [at, length, put] of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + length)]);
        }
        return bytes;
      }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Buffer.alloc(0),
      Buffer.alloc(20_000),
      Buffer.from(':20:'.repeat(5_000)),
      Buffer.from(`:20:${'x'.repeat(50_000)}`),
      Buffer.from('{1:{2:{3:{4:'.repeat(500)),
      Buffer.from(':20:A\r\n:25:1\r\n:28C:1\r\n:60F:C260105USD1,\r\n'.repeat(200)),
    ),
  },
);

const quoted = fc.oneof(
  { weight: 8, arbitrary: fc.constant('statement_file') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'file', '__proto__', 'constructor', 'statement_file[]', '😀', 'a"b'),
  },
);

const disposition = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        quoted,
        fc.constantFrom('statement.sta', '', '../../x', '😀.sta', 'x'.repeat(3_000), 'a"b', '\u0000'),
      )
      .map(([field, name]) => `Content-Disposition: form-data; name="${field}"; filename="${name}"`),
  },
  { weight: 1, arbitrary: quoted.map((field) => `Content-Disposition: form-data; name="${field}"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'Content-Disposition: form-data',
      'Content-Disposition: attachment; name="statement_file"; filename="a"',
      'Content-Disposition: form-data; name=statement_file; filename=a',
      'Content-Disposition: form-data; name="statement_file"; filename*=UTF-8\'\'%e2%82',
      'Content-Disposition form-data',
      'content-disposition:form-data;name="statement_file";filename="a"',
    ),
  },
);

const partHeaders = fc.oneof(
  { weight: 8, arbitrary: fc.constant('Content-Type: text/plain\r\n') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      'Content-Type: multipart/mixed; boundary=inner\r\n',
      'Content-Transfer-Encoding: base64\r\n',
      'Content-Type: text/plain; charset=utf-16\r\n',
      'Content-Type: \u0000\r\n',
      'X: y\r\n'.repeat(3_000),
      `X: ${'y'.repeat(100_000)}\r\n`,
    ),
  },
);

const part = fc
  .record({ disposition, headers: partHeaders, file })
  .map(({ disposition: first, headers, file: content }) =>
    Buffer.concat([Buffer.from(`${first}\r\n${headers}\r\n`), content]),
  );

const parts = fc.oneof(
  { weight: 8, arbitrary: part.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(part, { maxLength: 5 }) },
  { weight: 1, arbitrary: part.map((one) => Array.from({ length: 30 }, () => one)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.nat(15), part)
      .map(([n, one]) => [
        ...Array.from({ length: n }, (_, i) =>
          Buffer.from(`Content-Disposition: form-data; name="f${i}"\r\n\r\n${'v'.repeat(i * 6_000)}`),
        ),
        one,
      ]),
  },
);

const boundary = fc.oneof(
  { weight: 6, arbitrary: fc.constant('frontier') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('x', '-', '----', 'a b', "'()+_,-./:=?", 'y'.repeat(70), 'z'.repeat(300)),
  },
);

const contentType = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 10, arbitrary: fc.constant(`multipart/form-data; boundary="${name}"`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=other'],
        ...[
          'multipart/mixed; boundary=frontier',
          'multipart/form-data; boundary="frontier',
          'application/json',
          '',
        ],
        ...[
          'MULTIPART/FORM-DATA; BOUNDARY=frontier',
          'multipart/form-data; boundary=frontier; boundary=x',
          'text/plain',
        ],
      ),
    },
  );

/** What is done to a body that is whole. */
const spoiling: fc.Arbitrary<(body: Buffer) => Buffer> = fc.oneof(
  { weight: 6, arbitrary: fc.constant((body: Buffer) => body) },
  { weight: 2, arbitrary: fc.nat().map((at) => (body: Buffer) => body.subarray(0, at % (body.length + 1))) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 6 })).map(([at, bytes]) => (body: Buffer) => {
      const place = at % (body.length + 1);
      return Buffer.concat([body.subarray(0, place), bytes, body.subarray(place)]);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<(body: Buffer) => Buffer>(
      (body) => Buffer.from(body.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
      (body) => Buffer.concat([Buffer.from('preamble\r\n'), body, Buffer.from('\r\nepilogue')]),
      (body) => Buffer.concat([body, body]),
      () => Buffer.alloc(0),
      () => Buffer.from('--frontier--'),
      () => Buffer.from('--frontier\r\n'.repeat(3_000)),
      () => Buffer.from(JSON.stringify({ request_header: { request_id: 'R' } })),
    ),
  },
);

/** An upload: right, nearly right, or spoilt. */
export const uploadCase: fc.Arbitrary<FuzzRequest> = boundary.chain((name) =>
  fc
    .record({
      parts,
      spoil: spoiling,
      type: contentType(name),
      odd: oddHeaders,
      chunked: fc.boolean(),
      padded: fc.nat(150),
    })
    .map(({ parts: all, spoil, type, odd, chunked, padded }) => {
      const large = padded === 0;
      const content = large ? [...all, Buffer.alloc(TOO_LARGE_BYTES, 'x')] : all;
      const pieces = content.flatMap((one) => [Buffer.from(`--${name}\r\n`), one, Buffer.from('\r\n')]);
      const body = spoil(Buffer.concat([...pieces, Buffer.from(`--${name}--\r\n`)]));
      return {
        label: 'upload',
        method: 'POST',
        target: PATH,
        path: PATH,
        headers: { ...(type && { 'content-type': type }), ...odd },
        body,
        chunked,
        large: body.length > 60_000,
      };
    }),
);
