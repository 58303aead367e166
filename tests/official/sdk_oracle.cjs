// The official JavaScript Realtime Database SDK, offline, as a judge of ordering, filters, rendering and server values.
//
// Reads JSON lines on stdin, writes one JSON line for each, in the same order. A line is one case or an array of cases
// (then the answer is an array). First line written, before any is read: {"ready": true, "pid": N}.
//
// A case:
//   id       any JSON, handed back
//   data     what is set at the root first; ".priority", ".value" and ".sv" mean what they mean in the REST API
//   writes   optional list, applied in order, `path` from the root ("" when left out):
//              {"op": "set", "path", "value"} | {"op": "update", "path", "value": {"deep/path": ...}} | {"op": "remove", "path"}
//              {"op": "setPriority", "path", "priority"} | {"op": "setWithPriority", "path", "value", "priority"}
//   path     optional, where the query looks (default: the root)
//   now      optional, what the SDK's clock stands at while it works on this case (ms)
//   query    optional {"order": "$key" | "$value" | "$priority" | "child/path" | null,
//                      "start" | "end" | "equal": {"value", "key"?, "exclusive"?}, "limit_first": n, "limit_last": n}
//   listen   optional; true: listen to the query before the writes
//
// The answer: {"id", "keys": child keys in order, "value": val(), "exportVal": exportVal(), "exists", "size",
// "now": [clock before, clock after] in ms}, or {"id", "error": message} where the SDK rejects the case.
//
// With `listen` it is {"id", "events": one list for the registration of the listeners, and one for each write}. An event is
// [kind, child key, key of the sibling before it, val()]; of the kind "value": ["value", keys in order, null, val()].
//
// Numbers pass through JavaScript doubles, and a key "__proto__" cannot be rendered by val().
'use strict';

const readline = require('node:readline');
const { deleteApp, initializeApp } = require('@firebase/app');
const sdk = require('@firebase/database');

// Unacknowledged writes are kept for ever, so the app is opened anew every so many cases (more cost more time each).
const CASES_PER_APP = 25;

// The SDK asks `new Date()` what the server's time is.
let stopped;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    super(...(parts.length === 0 && stopped !== undefined ? [stopped] : parts));
  }
};

let app;
let database;
let cases = 0;
let apps = 0;

function fresh() {
  if (!app || cases++ % CASES_PER_APP === 0) {
    if (app) deleteApp(app).catch(() => {});
    app = initializeApp({ databaseURL: 'http://127.0.0.1:9/?ns=oracle' }, `oracle-${apps++}`);
    database = sdk.getDatabase(app);
    sdk.goOffline(database);
  }
  return database;
}

const at = (path) => (path ? sdk.ref(database, path) : sdk.ref(database));

// A write's promise waits for a server that is never there.
const forget = (promise) => void promise.catch(() => {});

const writes = {
  set: ({ path, value }) => forget(sdk.set(at(path), value)),
  update: ({ path, value }) => forget(sdk.update(at(path), value)),
  remove: ({ path }) => forget(sdk.remove(at(path))),
  setPriority: ({ path, priority }) => forget(sdk.setPriority(at(path), priority)),
  setWithPriority: ({ path, value, priority }) => forget(sdk.setWithPriority(at(path), value, priority)),
};

function constraints(query) {
  const list = [];
  const { order } = query;
  if (order === '$key') list.push(sdk.orderByKey());
  else if (order === '$value') list.push(sdk.orderByValue());
  else if (order === '$priority') list.push(sdk.orderByPriority());
  else if (typeof order === 'string') list.push(sdk.orderByChild(order));
  const bound = (build, { value, key }) => list.push(key == null ? build(value) : build(value, key));
  if (query.start) bound(query.start.exclusive ? sdk.startAfter : sdk.startAt, query.start);
  if (query.end) bound(query.end.exclusive ? sdk.endBefore : sdk.endAt, query.end);
  if (query.equal) bound(sdk.equalTo, query.equal);
  if (query.limit_first != null) list.push(sdk.limitToFirst(query.limit_first));
  if (query.limit_last != null) list.push(sdk.limitToLast(query.limit_last));
  return list;
}

function read(path, query) {
  let seen;
  sdk.onValue(sdk.query(at(path), ...constraints(query)), (snapshot) => (seen = snapshot), { onlyOnce: true });
  if (seen === undefined) throw new Error('oracle: the SDK did not answer from its local writes');
  return seen;
}

function keysOf(snapshot) {
  const keys = [];
  snapshot.forEach((child) => void keys.push(child.key));
  return keys;
}

const listeners = {
  child_added: sdk.onChildAdded,
  child_changed: sdk.onChildChanged,
  child_moved: sdk.onChildMoved,
  child_removed: sdk.onChildRemoved,
};

// A query of a limited or bounded window is kept by the SDK itself here, from the whole of the local data.
function listen({ id, writes: steps, path, query }) {
  const events = [[]];
  const log = (...event) => void events.at(-1).push(event);
  const target = sdk.query(at(path), ...constraints(query));
  const ends = Object.entries(listeners).map(([kind, register]) =>
    register(target, (child, previous) => log(kind, child.key, previous ?? null, child.val())),
  );
  ends.push(sdk.onValue(target, (snapshot) => log('value', keysOf(snapshot), null, snapshot.val())));
  for (const step of steps) {
    events.push([]);
    writes[step.op](step);
  }
  for (const end of ends) end();
  return { id, events };
}

function answer({ id, data = null, writes: steps = [], path = '', query = {}, now, listen: listening = false }) {
  const before = Date.now();
  stopped = now;
  try {
    fresh();
    forget(sdk.set(at(''), null)); // or increments would add to the case before
    forget(sdk.set(at(''), data));
    if (listening) return listen({ id, writes: steps, path, query });
    for (const step of steps) writes[step.op](step);
    const snapshot = read(path, query);
    return {
      id,
      keys: keysOf(snapshot),
      value: snapshot.val(),
      exportVal: snapshot.exportVal(),
      exists: snapshot.exists(),
      size: snapshot.size,
      now: [before, Date.now()],
    };
  } catch (error) {
    return { id, error: String(error.message) };
  } finally {
    stopped = undefined;
  }
}

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => {
  if (!line.trim()) return;
  const request = JSON.parse(line);
  const reply = Array.isArray(request) ? request.map(answer) : answer(request);
  process.stdout.write(JSON.stringify(reply) + '\n');
});
lines.on('close', () => process.exit(0));

process.stdout.write(JSON.stringify({ ready: true, pid: process.pid }) + '\n');
