import type { Settings } from '../../config.ts';
import type { ProviderSettings } from '../oidc/settings.ts';

/** Whose tokens open the beneficiary portal API, and what they say. */
export interface PortalSettings extends ProviderSettings {
  /** The claim that holds the beneficiary's id. */
  readonly beneficiaryIdClaim: string;
}

/** The portal's part of the configuration; null when the portal is switched off. */
export function portalSettings(settings: Settings): PortalSettings | null {
  if (!settings.portal_enabled || settings.portal_oidc_issuer === null) return null;
  return {
    issuer: settings.portal_oidc_issuer,
    jwksUrl: settings.portal_oidc_jwks_url,
    audiences: settings.portal_oidc_audience,
    beneficiaryIdClaim: settings.portal_beneficiary_id_claim,
  };
}
