/**
 * A process that uses the embedded server: `node embedded-user.ts DATA_DIR PORT ROUNDS`. Each round it joins,
 * writes `{"url", "started"}` or `{"code", "message"}` as a line, and leaves again: at once, but for the last
 * round, which lasts until its standard input ends.
 */
import postgres from 'postgres';
import { EmbeddedPostgresError, startEmbedded } from '../../src/db/embedded.ts';

const [dataDir = '', port = '0', rounds = '1'] = process.argv.slice(2);
try {
  for (let round = 1; round <= Number(rounds); round++) {
    const server = await startEmbedded({ dataDir, port: Number(port) });
    const sql = postgres(server.url, { max: 1 });
    await sql`select 1`;
    await sql.end();
    process.stdout.write(`${JSON.stringify({ url: server.url, started: server.started })}\n`);
    if (round === Number(rounds)) await new Promise((resolve) => process.stdin.on('end', resolve).resume());
    await server.stop();
  }
} catch (error) {
  const code = error instanceof EmbeddedPostgresError ? error.code : 'unexpected';
  process.stdout.write(`${JSON.stringify({ code, message: String(error) })}\n`);
  process.exitCode = 1;
}
