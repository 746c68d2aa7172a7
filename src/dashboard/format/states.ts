/** What a state means to an operator; each kind has a colour, a shape and a word of its own. */
export type StateKind =
  | 'none'
  | 'pending'
  | 'processing'
  | 'waiting'
  | 'done'
  | 'error'
  | 'paused'
  | 'cancelled';

const KINDS: Readonly<Record<string, StateKind>> = {
  NOT_APPLICABLE: 'none',
  PENDING: 'pending',
  PENDING_CHECK: 'pending',
  PROCESSING: 'processing',
  CHECK_IN_PROGRESS: 'processing',
  PROCESSED: 'done',
  FUNDS_AVAILABLE: 'done',
  FUNDS_BLOCK_SUCCESS: 'done',
  FUNDS_NOT_AVAILABLE: 'waiting',
  FUNDS_BLOCK_FAILURE: 'waiting',
  ERROR: 'error',
  // Envelopes, as the lists summarise them.
  receiving: 'pending',
  under_way: 'processing',
  needs_attention: 'error',
  complete: 'done',
  cancelled: 'cancelled',
  // Their regions.
  RECEIVING: 'pending',
  RECEIVED: 'done',
  Not_Cancelled: 'none',
  Cancelled: 'cancelled',
  // Circuits, jobs and processes.
  closed: 'done',
  half_open: 'waiting',
  open: 'error',
  created: 'pending',
  retry: 'waiting',
  active: 'processing',
  completed: 'done',
  failed: 'error',
  alive: 'done',
  dead: 'error',
  paused: 'paused',
};

export const stateKind = (state: string): StateKind =>
  Object.hasOwn(KINDS, state) ? (KINDS[state] ?? 'none') : 'none';

/** A state's name for people: `FUNDS_NOT_AVAILABLE` → `Funds not available`. */
export function stateText(state: string): string {
  const words = state.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
