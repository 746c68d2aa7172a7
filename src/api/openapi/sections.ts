import { OPERATOR_ENDPOINTS } from '../operator/index.ts';
import type { ApiOptions } from '../options.ts';
import { PARTNER_OPERATIONS } from '../partner/index.ts';
import { STATEMENT_UPLOAD } from '../partner/statement-description.ts';
import { PORTAL_OPERATIONS } from '../portal/index.ts';
import { portalRefusal } from '../portal/operation.ts';
import type { DocumentParts, Section } from './parts.ts';

/** What a process with these options publishes. */
export function publishedBy(options: ApiOptions): DocumentParts {
  return {
    rootPath: options.rootPath ?? '',
    sections: [partnerSection(options), ...(options.portal ? [PORTAL] : [])],
    operators: options.operators ? OPERATOR_ENDPOINTS : null,
    hasMetrics: options.metrics !== undefined,
  };
}

const partnerSection = ({ signatures, uploadToken }: ApiOptions): Section => ({
  name: 'partner',
  description: 'For the systems that send disbursements, and the bank that sends statements.',
  operations: PARTNER_OPERATIONS,
  operationProof: { kind: 'signature', required: Boolean(signatures) },
  uploads: [STATEMENT_UPLOAD],
  uploadProof: { kind: 'token', required: Boolean(uploadToken) },
  uploadRefusals: {
    401: { codes: ['UPLOAD_NOT_AUTHORIZED'] },
    503: { codes: ['UPLOADS_BUSY'] },
  },
});

const PORTAL: Section = {
  name: 'portal',
  description: 'For beneficiaries, who see what is theirs.',
  operations: PORTAL_OPERATIONS,
  operationProof: { kind: 'token', required: true },
  refusals: {
    401: { codes: ['TOKEN_MISSING', 'TOKEN_INVALID'], payload: portalRefusal },
    503: { codes: ['IDENTITY_PROVIDER_UNAVAILABLE'], payload: portalRefusal },
  },
};
