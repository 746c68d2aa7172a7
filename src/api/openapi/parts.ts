import type { z } from 'zod';
import type { EndpointDescription } from '../operator/endpoint.ts';
import type { OperationDescription } from '../partner/operation.ts';
import type { UploadDescription } from '../partner/statement-description.ts';

/** What a caller proves its identity with. */
export interface Proof {
  readonly kind: 'signature' | 'token';
  /** False where the configuration switches it off: what is given is not looked at. */
  readonly required: boolean;
}

/** Refusals with a status of their own. */
export interface StatusRefusals {
  readonly codes: readonly string[];
  /** Of `response_payload`; left out: null. */
  readonly payload?: z.ZodType;
}

/** Operations that belong together: who may call them, and how. */
export interface Section {
  readonly name: string;
  readonly description: string;
  readonly operations: readonly OperationDescription[];
  readonly uploads?: readonly UploadDescription[];
  /** What operations ask for; left out: nothing. */
  readonly operationProof?: Proof;
  /** What uploads ask for; left out: nothing. */
  readonly uploadProof?: Proof;
  /** Refusals with a status of their own besides the usual ones, by status. */
  readonly refusals?: Readonly<Record<number, StatusRefusals>>;
  /** The same of uploads. */
  readonly uploadRefusals?: Readonly<Record<number, StatusRefusals>>;
}

/** What is published. */
export interface DocumentParts {
  /** Put before the paths of the sections: empty, or `/like/this`. */
  readonly rootPath: string;
  readonly sections: readonly Section[];
  /** What operators may ask; null: there is no such surface. */
  readonly operators: readonly EndpointDescription[] | null;
  /** Whether there is `/metrics`. */
  readonly hasMetrics: boolean;
}
