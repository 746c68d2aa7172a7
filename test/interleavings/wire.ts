import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A statement as it goes over the wire. */
export interface Statement {
  readonly text: string;
  /** The `application_name` of its connection. */
  readonly application: string;
}

/**
 * Stands between a process and PostgreSQL, and reads along: while it holds, a statement that is to be stepped stays here
 * until it is let go. It works on the protocol itself, so it does not matter how the process comes to send a statement.
 */
export interface Wire {
  /** The database's URL through this wire. */
  readonly url: string;
  /** The statement that has been held for longest. */
  readonly held: Statement | undefined;
  /** Server processes that have been sent a stepped statement and have not answered it. */
  readonly busy: readonly number[];
  /** Statements that have been answered. */
  readonly answered: readonly Statement[];
  /** Holds statements from now on, and forgets what has been answered. */
  hold(): void;
  /** Lets everything pass from now on. */
  pass(): void;
  /** Lets the oldest held statement go. */
  step(): void;
  close(): Promise<void>;
}

/** A part of what a client sends that the server acts on as a whole: up to a Sync, a Flush or a simple query. */
interface Batch {
  readonly bytes: Buffer;
  readonly text: string;
  /** Whether something is executed, so that an answer ends with the server being ready again. */
  readonly executes: boolean;
}

interface Line {
  readonly client: Socket;
  readonly server: Socket;
  application: string;
  pid: number;
  readonly waiting: Batch[];
  readonly sent: Batch[];
}

/**
 * @param target URL of the database
 * @param isStepped which statements are held; all others pass
 * @param onChange called when something was held, answered or let go
 * @param onNotice called with every message that the server sends besides its answers
 */
export async function startWire(
  target: string,
  isStepped: (statement: Statement) => boolean,
  onChange: () => void,
  onNotice: (message: string) => void = () => {},
): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const lines: Line[] = [];
  /** In the order in which they came to be held. */
  const held: Line[] = [];
  const answered: Statement[] = [];
  let holding = false;

  const statementOf = (line: Line, { text }: Batch): Statement => ({ text, application: line.application });
  const isHeld = (line: Line, batch: Batch) =>
    holding && batch.executes && isStepped(statementOf(line, batch));
  const send = (line: Line, batch: Batch) => {
    if (batch.executes) line.sent.push(batch);
    line.server.write(batch.bytes);
  };
  const pump = (line: Line) => {
    for (let next = line.waiting[0]; next && !held.includes(line); next = line.waiting[0]) {
      if (isHeld(line, next)) {
        held.push(line);
        onChange();
      } else {
        line.waiting.shift();
        send(line, next);
      }
    }
  };
  const letGo = () => {
    const line = held.shift();
    const batch = line?.waiting.shift();
    if (!line || !batch) return;
    send(line, batch);
    pump(line);
  };

  const listener = createServer((client) => {
    const server = connect(Number(port), hostname);
    const line: Line = { client, server, application: '', pid: 0, waiting: [], sent: [] };
    lines.push(line);
    const fromClient = batches((application) => {
      line.application = application;
    });
    const fromServer = messages(false);
    client.on('data', (data) => {
      line.waiting.push(...fromClient(data));
      pump(line);
    });
    server.on('data', (data) => {
      client.write(data);
      for (const { type, body } of fromServer(data)) {
        if (type === 'N') onNotice(noticeOf(body));
        if (type === 'K') line.pid = body.readInt32BE(0);
        const batch = type === 'Z' ? line.sent.shift() : undefined;
        if (batch) answered.push(statementOf(line, batch));
      }
      onChange();
    });
    const end = () => {
      client.destroy();
      server.destroy();
      lines.splice(lines.indexOf(line) >>> 0, 1);
      if (held.includes(line)) held.splice(held.indexOf(line), 1);
      onChange();
    };
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', end).on('close', end);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((listener.address() as AddressInfo).port);
  return {
    url: url.href,
    answered,
    get held() {
      const [line] = held;
      const batch = line?.waiting[0];
      return line && batch ? statementOf(line, batch) : undefined;
    },
    get busy() {
      return lines
        .filter((line) => line.sent.some((batch) => isStepped(statementOf(line, batch))))
        .map(({ pid }) => pid);
    },
    hold() {
      answered.length = 0;
      holding = true;
    },
    pass() {
      holding = false;
      while (held.length > 0) letGo();
    },
    step: letGo,
    async close() {
      for (const { client } of lines) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** Cuts what a client sends into batches, and reads its name from the beginning of it. */
function batches(onStart: (application: string) => void): (data: Buffer) => Batch[] {
  const read = messages(true);
  const prepared = new Map<string, string>();
  let bytes: Buffer[] = [];
  let text = '';
  let executes = false;
  return (data) => {
    const complete: Batch[] = [];
    for (const { type, body, whole } of read(data)) {
      bytes.push(whole);
      const [first = '', second = ''] = type === 'P' || type === 'B' ? body.toString('utf8').split('\0') : [];
      if (type === '') onStart(/application_name\0([^\0]*)/.exec(body.toString('utf8'))?.[1] ?? '');
      if (type === 'P') prepared.set(first, second);
      if (type === 'B') text = prepared.get(second) ?? '';
      if (type === 'Q') text = body.toString('utf8', 0, body.length - 1);
      executes ||= type === 'E' || type === 'Q';
      if (['P', 'B', 'D', 'E', 'C'].includes(type)) continue;
      complete.push({ bytes: Buffer.concat(bytes), text, executes });
      bytes = [];
      executes = false;
    }
    return complete;
  };
}

/** A notice is a list of fields, each with a letter. */
const noticeOf = (body: Buffer): string =>
  body
    .toString('utf8')
    .split('\0')
    .find((field) => field.startsWith('M'))
    ?.slice(1) ?? '';

interface Message {
  readonly type: string;
  readonly body: Buffer;
  readonly whole: Buffer;
}

/** Reads messages of the protocol; what begins a client's side has no type. */
function messages(isClient: boolean): (data: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0);
  let started = !isClient;
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    const found: Message[] = [];
    for (;;) {
      const typed = started ? 1 : 0;
      if (rest.length < typed + 4) return found;
      const size = typed + rest.readInt32BE(typed);
      if (rest.length < size) return found;
      const type = started ? String.fromCharCode(rest[0] ?? 0) : '';
      found.push({ type, body: rest.subarray(typed + 4, size), whole: rest.subarray(0, size) });
      rest = rest.subarray(size);
      started = true;
    }
  };
}
