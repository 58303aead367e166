// firebase-tools' own export and import of emulator data, with its Auth and Storage emulators inside this process. Its
// Database emulator is a Java program that npm does not carry: the emulator at DATABASE_HOST takes its place.
//
//   node export_tools.cjs PROJECT DATABASE_HOST
//
// prints one JSON line {"ready": true, "auth": "127.0.0.1:PORT", "storage": "127.0.0.1:PORT", "pid": N}. Then each line
// {"op": "import" or "export", "path": FOLDER} is answered with {"ok": true} or {"error": MESSAGE}.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'firebase-rest-exports-'));
process.env.TMPDIR = home;
process.env.XDG_CONFIG_HOME = home;
process.env.CI = 'true';
require('./stop.cjs')(() => fs.rmSync(home, { recursive: true, force: true }));

const fromTools = createRequire(require.resolve('firebase-tools/package.json'));
const exegesis = fromTools('exegesis-express');
const eager = exegesis.middleware;
const lazy = (spec, options) => eager(spec, { ...options, lazyCompileValidationSchemas: true });
fromTools.cache[fromTools.resolve('exegesis-express')].exports = { ...exegesis, middleware: lazy };

const auth = fromTools('./lib/emulator/auth/index');
const { createApp: createAuthApp } = fromTools('./lib/emulator/auth/server');
const { DatabaseEmulator } = fromTools('./lib/emulator/databaseEmulator');
const { HubExport } = fromTools('./lib/emulator/hubExport');
const { EmulatorRegistry } = fromTools('./lib/emulator/registry');
const { StorageEmulator } = fromTools('./lib/emulator/storage/index');
const { createApp: createStorageApp } = fromTools('./lib/emulator/storage/server');
const { StorageRulesIssues } = fromTools('./lib/emulator/storage/rules/runtime');
process.chdir(home); // it creates a folder here

const project = process.argv[2];
const [databaseHost, databasePort] = process.argv[3].split(':');

const allowing = {
  start: async () => {},
  stop: async () => {},
  loadRuleset: async () => ({
    ruleset: { verify: async () => ({ permitted: true, issues: new StorageRulesIssues() }) },
    issues: new StorageRulesIssues(),
  }),
};

function listen(app) {
  const server = http.createServer(app);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function main() {
  const mode = auth.SingleProjectMode.NO_WARNING;
  const accounts = new auth.AuthEmulator({ projectId: project, host: '127.0.0.1', singleProjectMode: mode });
  accounts.args.port = await listen(await createAuthApp(project, mode));
  EmulatorRegistry.set(accounts.getName(), accounts);

  const rules = { name: path.join(home, 'storage.rules'), content: '' };
  const storage = new StorageEmulator({ projectId: project, host: '127.0.0.1', port: 0, rules });
  storage._rulesRuntime = allowing;
  storage._rulesManager = storage.createRulesManager(rules);
  await storage.rulesManager.start();
  EmulatorRegistry.set(storage.getName(), storage);
  storage.args.port = await listen(await createStorageApp(project, storage));

  const database = new DatabaseEmulator({ projectId: project, host: databaseHost, port: Number(databasePort) });
  EmulatorRegistry.set(database.getName(), database);

  // As in firebase-tools' controller.js.
  async function importFolder(folder) {
    const metadata = HubExport.readMetadata(folder);
    const databaseFolder = path.resolve(folder, metadata.database.path);
    for (const file of fs.readdirSync(databaseFolder).filter((name) => name.endsWith('.json'))) {
      await database.importData(path.basename(file, '.json'), path.join(databaseFolder, file));
    }
    await accounts.importData(path.resolve(folder, metadata.auth.path), project, { initiatedBy: 'start' });
    storage.storageLayer.import(path.resolve(folder, metadata.storage.path), { initiatedBy: 'start' });
  }

  async function exportFolder(folder) {
    await new HubExport(project, { path: folder, initiatedBy: 'test' }).exportAll();
  }

  const operations = { import: importFolder, export: exportFolder };
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const { op, path: folder } = JSON.parse(line);
    let answer = { ok: true };
    try {
      await operations[op](folder);
    } catch (error) {
      answer = { error: String((error && error.stack) || error) };
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  });
  const at = (emulator) => `127.0.0.1:${emulator.args.port}`;
  const ready = { ready: true, auth: at(accounts), storage: at(storage), pid: process.pid };
  process.stdout.write(JSON.stringify(ready) + '\n');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
