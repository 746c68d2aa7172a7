import { enableCompileCache } from 'node:module';

// Imported before everything else: what has been compiled once starts a third faster.
enableCompileCache();
