import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Paths are relative, so that the app works under any root path. */
export default defineConfig({
  base: './',
  plugins: [react()],
  build: { outDir: '../../dist/dashboard', emptyOutDir: true, target: 'es2023' },
});
