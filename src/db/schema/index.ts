export * from './disbursements.ts';
export * from './envelopes.ts';
export * from './geo.ts';
export * from './operators.ts';
export * from './requests.ts';
export * from './restores.ts';
export * from './runtime.ts';
export * from './statements.ts';
