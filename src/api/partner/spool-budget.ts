import { HttpError } from '../errors.ts';

/** How much memory all uploads under way together may take. */
export class SpoolBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws HttpError 503 when there is not so much left; the sender is to try again later */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      throw new HttpError(
        503,
        'UPLOADS_BUSY',
        'Too many statements are being uploaded; send this one again later.',
      );
    }
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
