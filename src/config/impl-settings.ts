import { z } from 'zod';
import type { ConnectorImpl } from '../connectors/load.ts';

/** Connector modules by what they serve: a sponsor bank code, a target registry. */
export type ConnectorImpls = Readonly<Record<string, ConnectorImpl>>;

/** A name or a number: text of one line. */
export const word: z.ZodType<string, string> = z
  .string()
  .regex(/^[^\p{Cc}]{1,100}$/u, 'must be text of 1 to 100 characters');

const impl: z.ZodType<ConnectorImpl> = z.union(
  [
    word.transform((module) => ({ module, options: {} })),
    z.strictObject({ module: word, options: z.record(z.string(), z.unknown()).default({}) }),
  ],
  'must be the name of a module, or {"module": …, "options": {…}}',
);

/** A sponsor bank code. */
export const bankCode: z.ZodType<string, string> = z
  .string()
  .regex(/^[^\s:]{1,100}$/, 'must be a sponsor bank code');

/** Reads `bank_connectors_impls`: a module's name, or an object with the name and the options the module is given. */
export const bankConnectorsSchema: z.ZodType<ConnectorImpls> = z.record(bankCode, impl);

/** Reads `geo_resolvers_impls`, likewise by target registry. */
export const geoResolversSchema: z.ZodType<ConnectorImpls> = z
  .record(
    z.string().regex(/^[^\s\p{Cc}](?:[^\p{Cc}]{0,98}[^\s\p{Cc}])?$/u, 'must be a target registry'),
    impl,
  )
  .refine(
    (impls) => new Set(Object.keys(impls).map((key) => key.toLowerCase())).size === Object.keys(impls).length,
    'must not name one target registry twice, upper and lower case being the same',
  );

/** The one bank that is known without configuration. */
export const BANK_CONNECTORS_DEFAULT = '{"EXAMPLE-BANK":"example-bank"}';

/** The one registry that is known without configuration, by the two names that envelopes give it. */
export const GEO_RESOLVERS_DEFAULT = '{"farmer_registry":"farmer-registry","farmer":"farmer-registry"}';
