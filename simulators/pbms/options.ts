import { z } from 'zod';

/** How much of everything is made unless said otherwise: a middle-sized country's scheme. */
export const sizesDefault = {
  largeZones: 5,
  smallZones: 200,
  warehouses: 30,
  agencies: 400,
  farmers: 10_000,
  zonesWithoutAgency: 0,
};

/** The most of everything; ids of small zones begin above the largest id of a large one. */
export const sizesMax = {
  largeZones: 1_000,
  smallZones: 50_000,
  warehouses: 50_000,
  agencies: 100_000,
  farmers: 20_000_000,
  zonesWithoutAgency: 50_000,
};

export type Sizes = typeof sizesDefault;

const word = z
  .string()
  .regex(/^[^\p{Cc}]{1,100}$/u, 'must be text of 1 to 100 characters')
  .refine((text) => text.isWellFormed(), 'must be text that can be stored');
const id = z.union([word, z.int().min(0).transform(String)], 'must be text or a whole number');
/** A value between the `#` of `additional_info`. */
const infoValue = word.regex(/^[^#]*$/, 'may not hold a #');

const programSchema = z.strictObject({
  program_id: id,
  program_mnemonic: word,
  benefit_code_id: id,
  benefit_code_mnemonic: word,
  sponsor_bank: z
    .strictObject({
      code: word,
      account: infoValue,
      type: infoValue.nullish(),
      branch: infoValue.nullish(),
    })
    .optional(),
});

/** What a program gives, and the bank and account that pay for it when it gives money. */
export const programsSchema = z
  .array(programSchema)
  .max(100)
  .refine(
    (programs) =>
      new Set(programs.map((program) => JSON.stringify([program.program_id, program.benefit_code_id])))
        .size === programs.length,
    'name a pair of program_id and benefit_code_id twice',
  );

export type Program = z.output<typeof programsSchema>[number];

/** What {@link generate} is told; sizes that are left out have their defaults. */
export interface GenerateOptions extends Partial<Sizes> {
  /** The databases to fill; they must exist, and may be one and the same. */
  pbmsUrl: string;
  registryUrl: string;
  programs: z.input<typeof programsSchema>;
  /** What a farmer's id begins with; a number from 0 follows. Left out: `BEN-`. */
  beneficiaryPrefix?: string;
  /** The same seed makes the same rows. Left out: 1. */
  seed?: number;
}

/** The options cannot be met, for the reason that the message gives. */
export class OptionsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OptionsError';
  }
}

/**
 * Puts in the sizes that are left out.
 *
 * @throws OptionsError when a zone would have to go without anybody who serves it, or a size is too large
 */
export function sizesOf(options: Partial<Sizes>): Sizes {
  const sizes: Sizes = { ...sizesDefault };
  for (const name of Object.keys(sizes) as (keyof Sizes)[]) {
    sizes[name] = options[name] ?? sizes[name];
    if (Number.isInteger(sizes[name]) && sizes[name] >= 0 && sizes[name] <= sizesMax[name]) continue;
    throw new OptionsError(`${named(name)} must be a whole number from 0 to ${sizesMax[name]}.`);
  }
  const { largeZones, smallZones, warehouses, agencies, zonesWithoutAgency } = sizes;
  if (largeZones < 1) throw new OptionsError('large zones must be at least 1.');
  if (smallZones < largeZones) throw new OptionsError('small zones must be at least as many as large zones.');
  if (warehouses * 2 < largeZones) {
    throw new OptionsError(
      'warehouses must be at least half as many as large zones: one serves two at most.',
    );
  }
  if (agencies * 2 < smallZones) {
    throw new OptionsError('agencies must be at least half as many as small zones: one serves two at most.');
  }
  if (zonesWithoutAgency > smallZones) {
    throw new OptionsError('zones without agency must not be more than small zones.');
  }
  return sizes;
}

/**
 * Reads programs.
 *
 * @throws OptionsError that names the first field that is wrong
 */
export function programsOf(value: unknown): Program[] {
  const result = programsSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new OptionsError(`programs${field && ` (${field})`}: ${issue?.message ?? 'are not valid'}.`);
}

function named(size: keyof Sizes): string {
  return size.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
