// The official Storage emulator of firebase-tools, inside this process.
//
//   node storage_emulator.cjs [PROJECT]
//
// prints one JSON line {"ready": true, "host": "127.0.0.1:PORT", "pid": N} and serves until SIGTERM or the end of stdin.
//
// Its security rules are judged by a Java program that npm does not carry. A stand-in takes its place, whose rules are
// one word, given at start or by PUT /internal/setRules: "allow", "deny", or "signed-in" (a user's token is needed).
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');

// It keeps its files in the folder for temporary files, and firebase-tools reads and writes settings: one of their own.
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'firebase-rest-storage-'));
process.env.TMPDIR = home;
process.env.XDG_CONFIG_HOME = home;
process.env.CI = 'true';
require('./stop.cjs')(() => fs.rmSync(home, { recursive: true, force: true }));
process.stdin.resume();

// A request that it cannot handle must not take the others with it.
process.on('unhandledRejection', (error) => console.error(error));

const fromTools = createRequire(require.resolve('firebase-tools/package.json'));
const { StorageEmulator } = fromTools('./lib/emulator/storage/index');
const { createApp } = fromTools('./lib/emulator/storage/server');
const { StorageRulesIssues } = fromTools('./lib/emulator/storage/rules/runtime');
const { EmulatorRegistry } = fromTools('./lib/emulator/registry');

const PERMITTED = {
  allow: () => true,
  deny: () => false,
  'signed-in': (token) => Boolean(token),
};

class StandInRules {
  async start() {}

  async stop() {}

  async loadRuleset({ files }) {
    const permitted = PERMITTED[files[0].content.trim()];
    if (!permitted) return { issues: new StorageRulesIssues([`no such stand-in: ${files[0].content}`]) };
    const verify = async ({ token }) => ({ permitted: permitted(token), issues: new StorageRulesIssues() });
    return { ruleset: { verify }, issues: new StorageRulesIssues() };
  }
}

async function main() {
  const project = process.argv[2] ?? 'demo-project';
  const rules = { name: path.join(home, 'storage.rules'), content: 'allow' };
  const storage = new StorageEmulator({ projectId: project, host: '127.0.0.1', port: 0, rules });
  storage._rulesRuntime = new StandInRules();
  storage._rulesManager = storage.createRulesManager(rules);
  await storage.rulesManager.start();
  const app = await createApp(project, storage);
  EmulatorRegistry.set(storage.getName(), storage);
  const server = http.createServer((request, response) => {
    // It decodes the names of objects twice in these paths, so a "%" has to be encoded twice to arrive.
    const [where, ...query] = request.url.split('?');
    if (where.startsWith('/v0/')) request.url = [where.replaceAll('%25', '%2525'), ...query].join('?');
    app(request, response);
  });
  server.listen(0, '127.0.0.1', () => {
    storage.args.port = server.address().port;
    const ready = { ready: true, host: `127.0.0.1:${storage.args.port}`, pid: process.pid };
    process.stdout.write(JSON.stringify(ready) + '\n');
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
