/**
 * Mends postgres.js 3.4.9, after each install, in what it does when a connection breaks or a query fails
 * (https://github.com/porsager/postgres: issues 1119, 1154, 1173, 1181, 1208). As published,
 *
 * - what is sent between a connection's error and its end waits for ever;
 * - what was about to be sent then keeps the connection from ever being used again, although the pool gives it work;
 * - rows that came before an error are counted as rows of the next query, whose result begins with so many holes;
 * - an error that one query ended with is given to another one, after the connection was made anew;
 * - a COPY that fails after its last byte was sent waits for ever;
 * - a server that takes connections and ends them is asked again and again without a pause or an end;
 * - what a transaction sends after the end of its connection ends the process, or runs on the connection made anew;
 * - a connection that breaks while the driver asks for the types of arrays, as it does first on each, ends the process.
 *
 * To be removed with the first release that does without; a newer one is refused here, so that somebody looks.
 */
import { readFile, writeFile } from 'node:fs/promises';

const VERSION = '3.4.9';
const ROOT = new URL('../node_modules/postgres/', import.meta.url);

/** What stands there, each once, and what shall stand there. */
const CHANGES = {
  'src/connection.js': [
    [
      `  function nextWrite(fn) {
    const x = socket.write(chunk, fn)`,
      `  function nextWrite(fn) {
    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      lost()
      return false
    }
    const x = socket.write(chunk, fn)`,
    ],
    [
      `  async function closed(hadError) {`,
      `  /** Nothing of what was sent will be answered, and nothing of it is left for the next socket. */
  function lost() {
    const e = Errors.connection('CONNECTION_CLOSED', options, socket)
    stream && (stream.destroy(e), stream = null)
    final && (final(e), final = null)
    query && queryError(query, e)
    while (sent.length)
      queryError(sent.shift(), e)
    query = results = errorResponse = null
    result = new Result()
    rows = 0
  }

  async function closed(hadError) {`,
    ],
    [
      `    clearImmediate(nextWriteTimer)
    socket.removeListener('data', data)
    socket.removeListener('connect', connected)
    idleTimer.cancel()`,
      `    clearImmediate(nextWriteTimer)
    chunk = nextWriteTimer = null
    socket.removeListener('data', data)
    socket.removeListener('connect', connected)
    idleTimer.cancel()`,
    ],
    [
      `    if (initial)
      return reconnect()

    !hadError && (query || sent.length) && error(Errors.connection('CONNECTION_CLOSED', options, socket))
`,
      `    lost()
    if (initial && options.host.length > 1)
      return reconnect()

    initial && (queryError(initial, Errors.connection('CONNECTION_CLOSED', options, socket)), initial = null)
`,
    ],
    [
      `    query && queryError(query, err)
    initial && (`,
      `    final && (final(err), final = null)
    query && queryError(query, err)
    initial && (`,
    ],
    ['        return fetchArrayTypes()\n', '        return fetchArrayTypes().catch(() => {})\n'],
    [
      `    query = results = errorResponse = null
    result = new Result()
    connectTimer.cancel()`,
      `    query = results = errorResponse = null
    result = new Result()
    rows = 0
    connectTimer.cancel()`,
    ],
  ],
  'src/index.js': [
    [
      `      , connection
      , prepare = null
`,
      `      , connection
      , gone = null
      , prepare = null
`,
    ],
    [
      `        new Promise((_, reject) => connection.onclose = reject)
      ])
    } catch (error) {
      throw error
    }

    async function scope`,
      `        new Promise((_, reject) => connection.onclose = e => (gone = e, reject(e)))
      ])
    } catch (error) {
      throw error
    }

    async function scope`,
    ],
    [
      `        q.catch(e => uncaughtError || (uncaughtError = e))
        c.queue === full`,
      `        q.catch(e => uncaughtError || (uncaughtError = e))
        if (gone)
          return q.reject(gone)
        c.queue === full`,
    ],
  ],
};

const { version } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8'));
if (version !== VERSION) {
  throw new Error(
    `postgres.js is ${version} here; patches/apply.mjs is for ${VERSION}: see whether it is still needed.`,
  );
}
for (const [path, changes] of Object.entries(CHANGES)) {
  const file = new URL(path, ROOT);
  const found = await readFile(file, 'utf8');
  let mended = found;
  for (const [before, after] of changes) {
    if (mended.includes(after)) continue;
    if (mended.split(before).length !== 2) {
      throw new Error(`${path} of postgres.js ${VERSION} is not as it was published: install it anew.`);
    }
    mended = mended.replace(before, () => after);
  }
  if (mended !== found) await writeFile(file, mended);
}
