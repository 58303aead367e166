// The code of the Firebase command line behind database:remove, as a client of an emulator.
//
//   node database_remove.cjs ORIGIN INSTANCE PATH
//
// deletes a path. Where a write is rejected as too large, the command line deletes parts.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');

const [origin, instance, target] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'firebase-rest-remove-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
Object.assign(process.env, { XDG_CONFIG_HOME: folder, CI: 'true' });

const fromTools = createRequire(require.resolve('firebase-tools/package.json'));
const { default: DatabaseRemove } = fromTools('./lib/database/remove');
fromTools('./lib/apiv2').setAccessToken('owner');

new DatabaseRemove(instance, target, origin, false).execute().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
