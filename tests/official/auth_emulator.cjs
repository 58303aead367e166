// The official Auth emulator of firebase-tools, inside this process.
//
//   node auth_emulator.cjs [PROJECT]
//
// prints one JSON line {"ready": true, "host": "127.0.0.1:PORT", "pid": N} and serves until SIGTERM or the end of stdin.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');

// firebase-tools reads and writes its settings on import: give it a folder of its own, and nothing to ask.
const settings = fs.mkdtempSync(path.join(os.tmpdir(), 'firebase-rest-auth-'));
process.env.XDG_CONFIG_HOME = settings;
process.env.CI = 'true';

require('./stop.cjs')(() => fs.rmSync(settings, { recursive: true, force: true }));
process.stdin.resume();

const fromTools = createRequire(require.resolve('firebase-tools/package.json'));

// The emulator compiles some 400 schemas before it listens (6 s). This option of its own router compiles each at first use
// with the same checks (1 s).
const exegesis = fromTools('exegesis-express');
const eager = exegesis.middleware;
const lazy = (spec, options) => eager(spec, { ...options, lazyCompileValidationSchemas: true });
const exegesisPath = fromTools.resolve('exegesis-express');
fromTools.cache[exegesisPath].exports = { ...exegesis, middleware: lazy };

const { createApp } = fromTools('./lib/emulator/auth/server');
const { SingleProjectMode } = fromTools('./lib/emulator/auth/index');

async function main() {
  const app = await createApp(process.argv[2] ?? 'demo-project', SingleProjectMode.NO_WARNING);
  const server = http.createServer(app);
  server.listen(0, '127.0.0.1', () => {
    const ready = { ready: true, host: `127.0.0.1:${server.address().port}`, pid: process.pid };
    process.stdout.write(JSON.stringify(ready) + '\n');
  });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
