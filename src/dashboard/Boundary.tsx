import { Component, type ReactNode } from 'react';
import { Button } from './ui/Button.tsx';

interface Props {
  readonly children: ReactNode;
}

/** Keeps the fault of one page from taking the whole app with it, and says what to do. */
export class Boundary extends Component<Props, { readonly failed: boolean }> {
  override readonly state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="problem" role="alert">
        <div>
          <p>
            This page could not be shown. The app may have been updated, or something in it is wrong: load it
            again.
          </p>
        </div>
        <Button small onClick={() => window.location.reload()}>
          Load again
        </Button>
      </div>
    );
  }
}
