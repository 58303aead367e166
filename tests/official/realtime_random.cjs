// Random writes and queries of the web SDK on an emulator, compared with what the SDK computes offline.
//
//   node realtime_random.cjs HOST:PORT SEED ROUNDS
//
// One client writes; another has listens with random queries, and keeps the children that their child events describe.
// After each round every listen must show what a query of the whole data shows. Prints one JSON line: the numbers of
// checks and events, and the first difference.
"use strict";

const { isDeepStrictEqual } = require("node:util");
const { initializeApp } = require("@firebase/app");
const sdk = require("@firebase/database");

const [host, seed, rounds] = process.argv.slice(2);
const [name, port] = host.split(":");
const NAMESPACE = "demo-test-default-rtdb";
const KEYS = ["a", "b", "c", "10", "9", "-1", "é", "z"];
const LISTENS = 12;

let state = Number(seed);
function random(limit) {
  state = (state * 1103515245 + 12345) % 2147483648; // the same numbers on every machine
  return Math.floor((state / 2147483648) * limit);
}
const choose = (items) => items[random(items.length)];

function scalar() {
  return choose([null, true, false, 0, 1, 2.5, -3, 10, "a", "b", "", "1", "é", "zz"]);
}

function value(depth) {
  if (depth === 0 || random(3) === 0) {
    const plain = scalar();
    return plain !== null && random(4) === 0 ? { ".value": plain, ".priority": choose([1, 2, "p"]) } : plain;
  }
  const children = {};
  for (let count = random(4); count > 0; count -= 1) children[choose(KEYS)] = value(depth - 1);
  if (random(3) === 0) children[".priority"] = choose([1, 2, "p"]);
  return children;
}

const path = () => ["data", choose(KEYS), ...(random(2) ? [choose(KEYS)] : [])].join("/");

async function write(db) {
  const ref = sdk.ref(db, path());
  switch (random(7)) {
    case 0: {
      // One child, because the SDK itself shows an old sibling if an update removes one child of a limited query and
      // changes another.
      const key = choose(KEYS);
      return sdk.update(ref, { [random(2) ? key : `${key}/${choose(KEYS)}`]: value(1) });
    }
    case 1:
      return sdk.remove(ref);
    case 2:
      return sdk.runTransaction(ref, (old) => (typeof old === "number" ? old + 1 : 5));
    case 3:
      return sdk.setWithPriority(ref, scalar(), choose([null, 1, "p"]));
    case 4:
      return random(10) ? sdk.push(sdk.ref(db, "data"), scalar()) : sdk.set(sdk.ref(db, "data"), value(3));
    case 5:
      return sdk.set(ref, sdk.increment(choose([1, -2, 0.5])));
    default:
      return sdk.set(ref, value(2));
  }
}

function constraints() {
  const order = choose([() => sdk.orderByKey(), () => sdk.orderByValue(), () => sdk.orderByPriority(), () => sdk.orderByChild(choose(["a", "b/c"]))]);
  const found = [order()];
  const isKey = found[0].type === "orderByKey";
  const bound = () => (isKey ? choose(KEYS) : found[0].type === "orderByPriority" ? choose([1, 2, "p", null]) : scalar());
  switch (random(6)) {
    case 0:
      found.push(sdk.equalTo(bound()));
      break;
    case 1:
      found.push(sdk.startAt(bound()));
      break;
    case 2:
      found.push(sdk.endAt(bound()));
      break;
    case 3:
      // Without priorities in the data the SDK finds nothing before a priority, so that is left out.
      found.push((random(2) && found[0].type !== "orderByPriority" ? sdk.endBefore : sdk.startAfter)(bound()));
      break;
    default:
  }
  if (random(2)) found.push(choose([sdk.limitToFirst, sdk.limitToLast])(1 + random(3)));
  return found;
}

function described(snapshot) {
  const keys = [];
  snapshot.forEach((child) => void keys.push(child.key));
  return { value: snapshot.exportVal(), keys };
}

function listen(db, place, made) {
  const query = sdk.query(sdk.ref(db, place), ...made);
  const seen = { latest: null, order: [], events: 0, values: new Map() };
  const put = (snapshot, previous) => {
    seen.order = seen.order.filter((key) => key !== snapshot.key);
    seen.order.splice(previous === null ? 0 : seen.order.indexOf(previous) + 1, 0, snapshot.key);
    seen.values.set(snapshot.key, snapshot.exportVal());
    seen.events += 1;
  };
  sdk.onChildAdded(query, put);
  sdk.onChildMoved(query, put);
  sdk.onChildChanged(query, put);
  sdk.onChildRemoved(query, (snapshot) => {
    seen.order = seen.order.filter((key) => key !== snapshot.key);
    seen.values.delete(snapshot.key);
    seen.events += 1;
  });
  sdk.onValue(query, (snapshot) => (seen.latest = described(snapshot)));
  return seen;
}

function offline(data, place, made) {
  const app = initializeApp({ databaseURL: `https://x${random(1e9)}.firebaseio.com` }, `offline${Math.random()}`);
  const db = sdk.getDatabase(app);
  sdk.goOffline(db);
  sdk.set(sdk.ref(db, "data"), data).catch(() => {});
  let found;
  sdk.onValue(sdk.query(sdk.ref(db, place), ...made), (snapshot) => (found = described(snapshot)), { onlyOnce: true });
  return found;
}

function open(kind) {
  const app = initializeApp({ databaseURL: `https://${NAMESPACE}.firebaseio.com`, projectId: "demo-test" }, kind);
  const db = sdk.getDatabase(app);
  sdk.connectDatabaseEmulator(db, name, Number(port));
  return db;
}

async function main() {
  const [writer, reader, other] = ["writer", "reader", "other"].map(open);
  await sdk.set(sdk.ref(writer, "data"), value(3));
  const listens = [];
  const results = { checks: 0, events: 0, problem: null };
  let mark = null;
  sdk.onValue(sdk.ref(reader, "mark"), (snapshot) => (mark = snapshot.val()));
  for (let round = 1; round <= Number(rounds) && !results.problem; round += 1) {
    while (listens.length < LISTENS) {
      const place = choose(["data", "data", `data/${choose(KEYS)}`]);
      const made = constraints();
      // A listen to everything would let the SDK answer all other listens itself.
      if (place === "data" && made.length === 1) made.push(sdk.limitToLast(1 + random(5)));
      listens.push({ place, made, seen: listen(reader, place, made) });
    }
    for (let count = random(5); count >= 0; count -= 1) await write(choose([writer, writer, other]));
    await sdk.set(sdk.ref(writer, "mark"), round);
    while (mark !== round) await new Promise((resolve) => setTimeout(resolve, 1));
    const response = await fetch(`http://${host}/data.json?ns=${NAMESPACE}&format=export`);
    const data = await response.json();
    for (const { place, made, seen } of listens) {
      const expected = offline(data, place, made);
      results.checks += 1;
      const collected = { value: Object.fromEntries(seen.values), keys: seen.order };
      const children = expected.keys.length ? Object.fromEntries(expected.keys.map((key) => [key, collected.value[key]])) : null;
      const shown = { ...expected.value };
      delete shown[".priority"];
      const isSame = isDeepStrictEqual(seen.latest, expected) && isDeepStrictEqual(collected.keys, expected.keys);
      if (!isSame || (children && !isDeepStrictEqual(children, shown))) {
        results.problem = { round, place, query: made.map((one) => [one.type, one._value, one._limit, one._path]), expected, latest: seen.latest, collected, data };
        break;
      }
    }
    // Some listens end, and new ones take their places.
    if (round % 5 === 0) {
      const [ended] = listens.splice(random(listens.length), 1);
      results.events += ended.seen.events;
    }
  }
  process.stdout.write(JSON.stringify(results) + "\n");
  process.exit(0);
}

require("./main.cjs")(main);
