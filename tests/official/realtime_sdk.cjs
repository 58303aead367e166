// Clients of Firebase's own SDKs for Node, driven by a test: "web" is @firebase/database, "admin" is firebase-admin.
//
// Reads JSON lines on stdin and writes one JSON line for each when it is done: {"id", "result"} or {"id", "error"}.
// A line has "id", "op" and, for most operations, "client" (a name), "path" and "query" (a list of calls such as
// ["orderByChild", "height"]):
//   open        {kind: "web" | "admin", host, namespace, token?: string | object}
//   set, update, push, remove, setPriority, setWithPriority   {value?, priority?}
//   get         -> {value, exported, keys}
//   increment   {count}: that many transactions at once, each adds 1 -> the number of committed ones
//   touch       a transaction that adds a child -> {committed, runs}
//   on          {name, event}, off {name}: events are collected under a name
//   events      {name, count}: waits until there are `count` events -> [[event, key, value], ...]
//   until       {name, value}: waits until an event has this value
//   onDisconnect  {method: "set" | "update" | "remove" | "cancel", value?}
//   goOffline, goOnline, close
"use strict";

const readline = require("node:readline");
const { isDeepStrictEqual } = require("node:util");
const web = require("@firebase/database");
const { initializeApp, deleteApp } = require("@firebase/app");
const admin = require("firebase-admin");

const LIMIT_MS = 10000;
const clients = new Map();
const listens = new Map();

const modular = {
  open({ client, host, namespace, token }) {
    const app = initializeApp({ databaseURL: `https://${namespace}.firebaseio.com`, projectId: "demo-test" }, client);
    const database = web.getDatabase(app);
    const [name, port] = host.split(":");
    web.connectDatabaseEmulator(database, name, Number(port), token ? { mockUserToken: token } : {});
    return { app, database, api: modular };
  },
  query: (database, path, calls) =>
    web.query(web.ref(database, path), ...calls.map(([name, ...values]) => web[name](...values))),
  ref: (database, path) => web.ref(database, path),
  call: (ref, name, ...values) => web[name](ref, ...values),
  on: (query, event, callback, failed) =>
    web[{ value: "onValue" }[event] || "on" + event.replace(/(?:^|_)(.)/g, (_, c) => c.toUpperCase())](query, callback, failed),
  get: (query) => web.get(query),
  transaction: (ref, change) => web.runTransaction(ref, change),
  onDisconnect: (ref) => web.onDisconnect(ref),
  goOffline: (database) => web.goOffline(database),
  goOnline: (database) => web.goOnline(database),
  close: ({ app }) => deleteApp(app),
};

const classic = {
  open({ client, host, namespace }) {
    process.env.FIREBASE_DATABASE_EMULATOR_HOST = host;
    const app = admin.initializeApp({ databaseURL: `https://${namespace}.firebaseio.com`, projectId: "demo-test" }, client);
    return { app, database: app.database(), api: classic };
  },
  query: (database, path, calls) => calls.reduce((query, [name, ...values]) => query[name](...values), database.ref(path)),
  ref: (database, path) => database.ref(path),
  call: (ref, name, ...values) => ref[name](...values),
  on: (query, event, callback, failed) => {
    query.on(event, callback, failed);
    return () => query.off(event, callback);
  },
  get: (query) => query.get(),
  transaction: (ref, change) => ref.transaction(change),
  onDisconnect: (ref) => ref.onDisconnect(),
  goOffline: (database) => database.goOffline(),
  goOnline: (database) => database.goOnline(),
  close: ({ app }) => app.delete(),
};

const operations = {
  open: (_, line) => {
    clients.set(line.client, (line.kind === "web" ? modular : classic).open(line));
  },
  push: async ({ api, ref }, { value }) => (await api.call(ref, "push", value)).key,
  get: async ({ api, query }) => described(await api.get(query)),
  increment: async ({ api, ref }, { count }) => {
    const results = await Promise.all(Array.from({ length: count }, () => api.transaction(ref, (n) => (n || 0) + 1)));
    return results.filter((result) => result.committed).length;
  },
  touch: async ({ api, ref }) => {
    let runs = 0;
    const change = (value) => {
      runs += 1;
      return value === null ? value : { ...value, touched: true };
    };
    const result = await api.transaction(ref, change);
    return { committed: result.committed, runs };
  },
  on: ({ api, query }, { name, event }) => {
    const events = [];
    const changed = (snapshot) => events.push([event, snapshot.key, snapshot.val()]);
    const off = api.on(query, event, changed, (error) => events.push(["error", null, error.message]));
    listens.set(name, { events, off });
  },
  off: (_, { name }) => listens.get(name).off(),
  events: async (_, { name, count }) => {
    const { events } = listens.get(name);
    const deadline = Date.now() + LIMIT_MS;
    while (events.length < count && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return events;
  },
  until: async (_, { name, value }) => {
    const { events } = listens.get(name);
    const deadline = Date.now() + LIMIT_MS;
    while (!events.some((event) => isDeepStrictEqual(event[2], value)) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!events.some((event) => isDeepStrictEqual(event[2], value))) {
      throw new Error(`no event has the value ${JSON.stringify(value)}: ${JSON.stringify(events)}`.slice(0, 2000));
    }
    return true;
  },
  onDisconnect: async ({ api, ref }, { method, value }) => {
    await api.onDisconnect(ref)[method](...(value === undefined ? [] : [value]));
  },
  goOffline: ({ api, database }) => api.goOffline(database),
  goOnline: ({ api, database }) => api.goOnline(database),
  close: async (client, line) => {
    client.api.goOffline(client.database);
    await client.api.close(client);
    clients.delete(line.client);
  },
};
for (const [name, keys] of Object.entries({
  set: ["value"], update: ["value"], remove: [], setPriority: ["priority"], setWithPriority: ["value", "priority"],
})) {
  operations[name] = async ({ api, ref }, line) => {
    await api.call(ref, name, ...keys.map((key) => line[key]));
  };
}

function described(snapshot) {
  const keys = [];
  snapshot.forEach((child) => {
    keys.push(child.key);
  });
  return { value: snapshot.val(), exported: snapshot.exportVal(), keys };
}

async function perform(line) {
  const client = clients.get(line.client);
  const context = client && {
    ...client,
    ref: client.api.ref(client.database, line.path || "/"),
    query: client.api.query(client.database, line.path || "/", line.query || []),
  };
  const overdue = new Promise((_, reject) => setTimeout(() => reject(new Error("timed out")), 2 * LIMIT_MS).unref());
  return Promise.race([operations[line.op](context, line), overdue]);
}

async function main() {
  process.stdout.write(JSON.stringify({ ready: true, pid: process.pid }) + "\n");
  for await (const text of readline.createInterface({ input: process.stdin })) {
    const line = JSON.parse(text);
    const answer = (values) => process.stdout.write(JSON.stringify({ id: line.id, ...values }) + "\n");
    perform(line).then(
      (result) => answer({ result: result ?? null }),
      (error) => answer({ error: String((error && error.message) || error) }),
    );
  }
  process.exit(0);
}

console.log = console.warn = console.info = (...values) => process.stderr.write(values.join(" ") + "\n");
main();
