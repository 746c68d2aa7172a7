import { createBrowserInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { ApiProblem } from './api.ts';
import { nextWaitMs } from './feed-rules.ts';
import { ticketedUrl } from './ticketed-url.ts';

/** Events kept for an inspector that is still loading. */
const KEPT_MAX = 10_000;
/** Sent by the inspector when it can be shown something. */
const CONNECTED = '@statelyai.connected';

/** What is inspected: an envelope with its children, or one actor; everything from now on when neither is given. */
export interface Inspected {
  readonly envelope?: string | undefined;
  readonly machine?: string | undefined;
  readonly id?: string | undefined;
}

export interface InspectionHandlers {
  readonly onEvent: (event: StatelyInspectionEvent) => void;
  /** The inspector in the frame has answered. */
  readonly onInspector: () => void;
  readonly onConnected: (connected: boolean) => void;
  readonly onProblem: (problem: Error) => void;
}

/**
 * Bridges the journal into an inspector until the returned function is called: receives inspection events over the
 * WebSocket and hands them to the inspector in the frame. A connection that is lost is made again; the past comes again
 * then, and what the inspector has been shown is left out.
 */
export function bridge(
  frame: HTMLIFrameElement,
  inspectorUrl: string,
  inspected: Inspected,
  { onEvent, onInspector, onConnected, onProblem }: InspectionHandlers,
): () => void {
  const stop = new AbortController();
  let answered = false;
  const onAnswer = ({ data, source }: MessageEvent) => {
    if (source !== frame.contentWindow || !isConnected(data)) return;
    answered = true;
    onInspector();
  };
  window.addEventListener('message', onAnswer, { signal: stop.signal });
  const { adapter } = createBrowserInspector({
    iframe: frame,
    url: inspectorUrl,
    maxDeferredEvents: KEPT_MAX,
  });
  // The adapter knows where to send to once the page is complete. An inspector that has answered before has missed what
  // there was; said again, the answer has all of it sent.
  const onComplete = (): void => {
    if (answered) window.postMessage({ type: CONNECTED }, window.location.origin);
  };
  frame.addEventListener('load', onComplete, { signal: stop.signal });
  const isNew = newOnes();
  let failures = 0;
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const connect = async (): Promise<void> => {
    try {
      const url = await ticketedUrl('/inspector/ws', () => ({ ...inspected }), stop.signal);
      if (stop.signal.aborted) return;
      socket = open(url);
    } catch (cause) {
      if (cause instanceof ApiProblem && cause.status >= 400 && cause.status < 500) onProblem(cause);
      else again();
    }
  };
  const open = (url: string): WebSocket => {
    const opened = new WebSocket(url);
    opened.addEventListener('open', () => {
      failures = 0;
      onConnected(true);
    });
    opened.addEventListener('message', ({ data }) => {
      const event = JSON.parse(String(data)) as StatelyInspectionEvent;
      if (!isNew(event)) return;
      adapter.send(event);
      onEvent(event);
    });
    opened.addEventListener('close', again);
    return opened;
  };
  const again = (): void => {
    if (stop.signal.aborted) return;
    onConnected(false);
    timer = setTimeout(() => void connect(), nextWaitMs(failures, Math.random()));
    failures += 1;
  };

  void connect();
  return () => {
    stop.abort();
    clearTimeout(timer);
    socket?.close();
    adapter.stop?.();
  };
}

/** Tells whether an event has not come before. Those of a transition carry its sequence number. */
function newOnes(): (event: StatelyInspectionEvent) => boolean {
  const actors = new Set<string>();
  const latest = { '@xstate.event': 0, '@xstate.snapshot': 0 };
  return (event) => {
    if (event.type === '@xstate.actor') {
      const isNew = !actors.has(event.sessionId);
      actors.add(event.sessionId);
      return isNew;
    }
    const seq = Number((event.event as { seq?: unknown }).seq);
    if (seq <= latest[event.type]) return false;
    latest[event.type] = seq;
    return true;
  };
}

const isConnected = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && 'type' in data && data.type === CONNECTED;
