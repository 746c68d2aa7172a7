/**
 * Mends postgres.js 3.4.9, after each install, where it leaves queries and connections lying when a connection breaks
 * (https://github.com/porsager/postgres/issues/1154, /1208). Unmended,
 *
 * - what is sent between a connection's error and its end waits for ever;
 * - what was about to be sent then keeps the connection from ever being used again, although the pool gives it work;
 * - what a transaction sends after the end of its connection ends the process;
 * - so does a connection that breaks while the driver asks for the types of arrays, as it does first on each.
 *
 * To be removed with the first release that does without; a newer one is refused here, so that somebody looks.
 */
import { readFile, writeFile } from 'node:fs/promises';

const VERSION = '3.4.9';
const FILE = new URL('../node_modules/postgres/src/connection.js', import.meta.url);
const PACKAGE = new URL('../node_modules/postgres/package.json', import.meta.url);

/** What stands there, each once, and what shall stand there. */
const CHANGES = [
  [
    `  function nextWrite(fn) {
    const x = socket.write(chunk, fn)`,
    `  function nextWrite(fn) {
    if (socket === null) {
      clearImmediate(nextWriteTimer)
      chunk = nextWriteTimer = null
      error(Errors.connection('CONNECTION_CLOSED', options, socket))
      return false
    }
    const x = socket.write(chunk, fn)`,
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
    `      return reconnect()

    !hadError && (query || sent.length) && error(`,
    `      return reconnect();

    (query || sent.length) && error(`,
  ],
  ['        return fetchArrayTypes()\n', '        return fetchArrayTypes().catch(() => {})\n'],
];

const { version } = JSON.parse(await readFile(PACKAGE, 'utf8'));
if (version !== VERSION) {
  throw new Error(
    `postgres.js is ${version} here; patches/apply.mjs is for ${VERSION}: see whether it is still needed.`,
  );
}
const found = await readFile(FILE, 'utf8');
let mended = found;
for (const [before, after] of CHANGES) {
  if (mended.includes(after)) continue;
  if (mended.split(before).length !== 2)
    throw new Error('postgres.js 3.4.9 is not as it was published: install it anew.');
  mended = mended.replace(before, () => after);
}
if (mended !== found) await writeFile(FILE, mended);
