import { Refusal } from '../message.ts';

/** The code of a request whose signature is missing or does not hold, as the partners' systems know it. */
export const SIGNATURE_INVALID = 'rjct.jwt.invalid';

/** The refusal of a request whose signature could not be checked, which is none of its sender's doing. */
export class SignatureUncheckedRefusal extends Refusal {
  /** @param sentence says to come again */
  constructor(sentence: string) {
    super(SIGNATURE_INVALID, sentence);
  }
}

/** The refusal of a request that is not signed as it must be. @param sentence what the caller can do something about */
export const signatureInvalid = (sentence: string): Refusal => new Refusal(SIGNATURE_INVALID, sentence);
