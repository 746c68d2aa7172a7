import { z } from 'zod';
import type { Checked } from '../shared/validation.ts';

/** A part may not look like the key of another part, or the string could not be taken apart again. */
const part = z
  .string()
  .max(256)
  .regex(/^[^\p{Cc}]*$/u, 'may not hold control characters')
  .refine((text) => !/(?:^|\.)[a-z_]+:/.test(text), {
    message: 'may not look like a part of the address string',
  });

/** The parts of a financial address, as `/link` takes them. */
export const addressPartsSchema = z.strictObject({
  strategy_id: z.union([z.string().max(64), z.int()]).nullish(),
  fa_type: z.enum(['BANK', 'MOBILE_WALLET', 'EMAIL_WALLET']),
  bank_name: part.nullish(),
  bank_code: part.nullish(),
  branch_name: part.nullish(),
  branch_code: part.nullish(),
  account_number: part.nullish(),
  mobile_number: part.nullish(),
  email_address: part.nullish(),
  wallet_provider_name: part.nullish(),
  wallet_provider_code: part.nullish(),
});

export type AddressParts = z.infer<typeof addressPartsSchema>;

type PartName = Exclude<keyof AddressParts, 'strategy_id' | 'fa_type'>;

/** A financial address as the mapper keeps it. */
export interface Address {
  fa: string;
  providerName: string | null;
  providerCode: string | null;
}

interface Shape {
  /** The parts of the string, in order, before its type. */
  parts: readonly PartName[];
  required: readonly PartName[];
  /** The type at the end of the string. */
  type: string;
  providerName: PartName;
  providerCode: PartName;
}

/** The order of the parts is the one that readers of the address string take apart by default. */
const shapes: Record<AddressParts['fa_type'], Shape> = {
  BANK: {
    parts: ['account_number', 'branch_code', 'bank_code', 'mobile_number', 'email_address'],
    required: ['account_number', 'bank_code'],
    type: 'BANK_ACCOUNT',
    providerName: 'bank_name',
    providerCode: 'bank_code',
  },
  MOBILE_WALLET: {
    parts: ['mobile_number', 'wallet_provider_name', 'wallet_provider_code'],
    required: ['mobile_number', 'wallet_provider_code'],
    type: 'MOBILE_WALLET',
    providerName: 'wallet_provider_name',
    providerCode: 'wallet_provider_code',
  },
  EMAIL_WALLET: {
    parts: ['email_address', 'wallet_provider_name', 'wallet_provider_code'],
    required: ['email_address', 'wallet_provider_code'],
    type: 'EMAIL_WALLET',
    providerName: 'wallet_provider_name',
    providerCode: 'wallet_provider_code',
  },
};

/**
 * Builds the address string from its parts; a part that is missing is empty in it.
 *
 * @returns the address, or which part its type cannot do without
 */
export function toAddress(parts: AddressParts): Checked<Address> {
  const shape = shapes[parts.fa_type];
  const missing = shape.required.find((name) => !parts[name]);
  if (missing !== undefined) return { problem: `${missing}: is needed for fa_type ${parts.fa_type}` };
  const fields = shape.parts.map((name) => `${name}:${parts[name] ?? ''}`);
  const providerCode = parts[shape.providerCode] || null;
  return {
    value: {
      fa: `${fields.join('.')}.fa_type:${shape.type}`,
      providerName: parts[shape.providerName] || providerCode,
      providerCode,
    },
  };
}
