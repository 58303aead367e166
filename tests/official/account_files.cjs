// The code of the Firebase command line behind auth:import and auth:export, as a client of an emulator.
//
//   node account_files.cjs ORIGIN PROJECT FILE [OPTIONS]
//
// imports the users of a JSON file with OPTIONS (JSON, such as {"hashAlgo": "SCRYPT"}), then exports all users and prints
// them as JSON. ORIGIN becomes FIREBASE_GOOGLE_URL.
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');

const [origin, project, file, options] = process.argv.slice(2);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'firebase-rest-accounts-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
Object.assign(process.env, { FIREBASE_GOOGLE_URL: origin, XDG_CONFIG_HOME: folder, CI: 'true' });

const fromTools = createRequire(require.resolve('firebase-tools/package.json'));
const importer = fromTools('./lib/accountImporter');
const exporter = fromTools('./lib/accountExporter');
const { setAccessToken } = fromTools('./lib/apiv2');

async function main() {
  setAccessToken('owner');
  const { users } = JSON.parse(fs.readFileSync(file, 'utf8'));
  for (const user of users) {
    const { error } = importer.validateUserJson(user);
    if (error) throw new Error(error);
  }
  await importer.serialImportUsers(project, importer.validateOptions(JSON.parse(options ?? '{}')), [users], 0);
  const exported = path.join(folder, 'exported.json');
  const writeStream = fs.createWriteStream(exported);
  writeStream.write('[');
  await exporter.serialExportUsers(project, { format: 'json', writeStream, batchSize: 2 });
  await new Promise((resolve) => writeStream.end(']', resolve));
  process.stdout.write(fs.readFileSync(exported, 'utf8'));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
