import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon.tsx';

/** In place of what is not there: says so, and what to do. */
export const Empty = (props: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly icon?: IconName;
}) => (
  <div className="empty">
    <Icon name={props.icon ?? 'done'} size={24} />
    <p className="empty-title">{props.title}</p>
    {props.children === undefined ? null : <div className="muted">{props.children}</div>}
  </div>
);
