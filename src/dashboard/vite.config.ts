import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const OUT_DIR = '../../dist/dashboard';
/** Files that are smaller cost one packet anyhow. */
const COMPRESSED_BYTES_MIN = 1_024;
const COMPRESSIBLE = /\.(?:js|css|html|svg|json)$/;

/** Writes each file of the app compressed as well, as well as it can be: once here instead of at every request. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }, bundle) {
      const names = Object.keys(bundle).filter((name) => COMPRESSIBLE.test(name));
      await Promise.all(names.map((name) => compressFile(join(dir, name))));
    },
  };
}

async function compressFile(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < COMPRESSED_BYTES_MIN) return;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  await Promise.all([
    promisify(brotliCompress)(bytes, { params }).then((brotli) => writeFile(`${path}.br`, brotli)),
    promisify(gzip)(bytes, { level: 9 }).then((gzipped) => writeFile(`${path}.gz`, gzipped)),
  ]);
}

/** Paths are relative, so that the app works under any root path. */
export default defineConfig({
  base: './',
  plugins: [react(), compressed()],
  build: {
    outDir: OUT_DIR,
    emptyOutDir: true,
    target: 'es2023',
    // Says which files each part of the app needs.
    manifest: true,
    // The policy of the page allows no `data:` for scripts and fonts; a file is cached for good.
    assetsInlineLimit: 0,
    // elkjs, which lays out statecharts and comes when one is opened, is large by itself.
    chunkSizeWarningLimit: 1_600,
  },
});
