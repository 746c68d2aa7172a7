import { stateKind, stateText } from '../format/states.ts';
import { Icon } from './Icon.tsx';

/** A state: its colour, a shape of its own, and its name. */
export function StateBadge({ state, text }: { readonly state: string; readonly text?: string }) {
  const kind = stateKind(state);
  return (
    <span className={`badge state-${kind}`}>
      <Icon name={kind} size={12} />
      {text ?? stateText(state)}
    </span>
  );
}
