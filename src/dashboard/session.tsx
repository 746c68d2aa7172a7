import { createContext, type ReactNode, useContext } from 'react';
import type { AccessOnWire } from '../api/operator/wire/access.ts';
import type { Operator, Role } from '../api/operator/wire/common.ts';

/** Who is signed in, and what they may do. */
export interface OperatorSession {
  readonly operator: Operator;
  readonly access: AccessOnWire;
  /** Whether the operator has a role or more. */
  readonly may: (role: Role) => boolean;
  /** Why an action that needs a role cannot be done; null when it can. */
  readonly whyNot: (role: Role) => string | null;
  readonly signOut: () => void;
}

const RANKS: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, payer: 2 };

/** What an operator may do by their role. */
export function rightsOf(operator: Operator): Pick<OperatorSession, 'may' | 'whyNot'> {
  const may = (role: Role): boolean => RANKS[operator.role] >= RANKS[role];
  return {
    may,
    whyNot: (role) => (may(role) ? null : `Needs the role ${role}; you have the role ${operator.role}.`),
  };
}

const SessionContext = createContext<OperatorSession | null>(null);

export const SessionProvider = (props: {
  readonly session: OperatorSession;
  readonly children: ReactNode;
}) => <SessionContext value={props.session}>{props.children}</SessionContext>;

/** Who is signed in; everything inside the sign-in gate has somebody. */
export function useSession(): OperatorSession {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('Nobody is signed in here.');
  return session;
}
