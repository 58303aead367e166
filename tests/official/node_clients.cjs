// Programs of Node: the web SDK (npm "firebase"), firebase-admin and @google-cloud/storage, together on one emulator.
//
//   node node_clients.cjs HOST:PORT
//
// prints one JSON line with what they were given, and ends.
"use strict";

const [host, port] = process.argv[2].split(":");
process.env.FIREBASE_AUTH_EMULATOR_HOST = process.env.FIREBASE_DATABASE_EMULATOR_HOST = process.argv[2];

const { createHash } = require("node:crypto");
const { Readable } = require("node:stream");
const { pipeline } = require("node:stream/promises");
const { initializeApp } = require("firebase/app");
const authentication = require("firebase/auth");
const database = require("firebase/database");
const files = require("firebase/storage");
const admin = require("firebase-admin");
const { Storage } = require("@google-cloud/storage");

const PROJECT = "demo-project";
const BUCKET = `${PROJECT}.appspot.com`;
const DATABASE = `https://${PROJECT}-default-rtdb.firebaseio.com`;

const outcome = (promise) => promise.then(() => "no error", (error) => error.code ?? String(error));

function webApp(name) {
  const app = initializeApp({ apiKey: "any", projectId: PROJECT, databaseURL: DATABASE, storageBucket: BUCKET }, name);
  const auth = authentication.initializeAuth(app, { persistence: authentication.inMemoryPersistence });
  authentication.connectAuthEmulator(auth, `http://${host}:${port}`, { disableWarnings: true });
  database.connectDatabaseEmulator(database.getDatabase(app), host, Number(port));
  files.connectStorageEmulator(files.getStorage(app), host, Number(port));
  return { auth, db: database.getDatabase(app), files: files.getStorage(app) };
}

async function accounts(web, server) {
  const { auth } = web;
  const created = await authentication.createUserWithEmailAndPassword(auth, "ada@example.com", "secret-1");
  await authentication.updateProfile(created.user, { displayName: "Ada" });
  await server.auth().setCustomUserClaims(created.user.uid, { admin: true });
  const fresh = await created.user.getIdTokenResult(true);
  const verified = await server.auth().verifyIdToken(fresh.token);
  const listed = await server.auth().listUsers();
  const { uid } = created.user;
  await authentication.signOut(auth);
  const errors = [
    await outcome(authentication.signInWithEmailAndPassword(auth, "ada@example.com", "wrong-1")),
    await outcome(authentication.createUserWithEmailAndPassword(auth, "ada@example.com", "secret-1")),
    await outcome(server.auth().getUser("nobody")),
  ];
  const custom = await authentication.signInWithCustomToken(auth, await server.auth().createCustomToken("bob", { plan: 1 }));
  const { plan } = (await custom.user.getIdTokenResult()).claims;
  const back = await authentication.signInWithEmailAndPassword(auth, "ada@example.com", "secret-1");
  return {
    same: uid === verified.uid && uid === back.user.uid,
    name: back.user.displayName,
    claims: [fresh.claims.admin, verified.admin, plan],
    listed: listed.users.map((user) => user.email),
    errors,
  };
}

async function data(web, server) {
  const { db, auth } = web;
  const place = `users/${auth.currentUser.uid}`;
  await server.database().ref("/").set({ users: { bob: { secret: 1 } } });
  const seen = [];
  const ended = new Promise((resolve) => {
    server.database().ref(place).on("value", (snapshot) => {
      seen.push(snapshot.val());
      if (snapshot.val()?.done) resolve();
    });
  });
  await database.set(database.ref(db, place), { n: 1, at: database.serverTimestamp() });
  await database.runTransaction(database.ref(db, `${place}/n`), (n) => (n ?? 0) + 1);
  await database.update(database.ref(db, place), { at: null, done: true });
  await ended;
  return {
    last: seen.at(-1),
    denied: await outcome(database.get(database.ref(db, "users/bob"))),
    signedOut: await authentication.signOut(auth).then(() => outcome(database.set(database.ref(db, place), 1))),
  };
}

async function objects(web) {
  const bucket = new Storage({ apiEndpoint: `http://${host}:${port}`, projectId: PROJECT }).bucket(BUCKET);
  const large = Buffer.alloc(3 * 1024 * 1024 + 17, "firebase");
  await bucket.file("dir/small é.txt").save("hello", { resumable: false, contentType: "text/plain", metadata: { metadata: { owner: "ann" } } });
  await pipeline(Readable.from([large]), bucket.file("large").createWriteStream({ resumable: true }));
  const [downloaded] = await bucket.file("large").download();
  const [part] = await bucket.file("dir/small é.txt").download({ start: 1, end: 3 });
  const [metadata] = await bucket.file("dir/small é.txt").getMetadata();
  await bucket.file("dir/small é.txt").copy(bucket.file("dir/copy"));
  const [listed, , page] = await bucket.getFiles({ prefix: "dir/", maxResults: 1, autoPaginate: false });
  const [all] = await bucket.getFiles();
  await bucket.file("dir/copy").delete();
  return {
    same: downloaded.equals(large),
    part: part.toString(),
    metadata: [metadata.contentType, metadata.size, metadata.metadata, metadata.md5Hash === createHash("md5").update("hello").digest("base64")],
    listed: [listed.map((file) => file.name), Boolean(page && page.nextPageToken), all.map((file) => file.name)],
    exists: [(await bucket.file("dir/copy").exists())[0], (await bucket.file("large").exists())[0]],
    missing: await outcome(bucket.file("none").download()),
    conflict: await outcome(bucket.file("large").save("x", { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } })),
    web: Buffer.from(await files.getBytes(files.ref(web.files, "dir/small é.txt"))).toString(),
  };
}

async function main() {
  const web = webApp("web");
  const server = admin.initializeApp({ projectId: PROJECT, databaseURL: DATABASE });
  const results = { accounts: await accounts(web, server), data: await data(web, server), objects: await objects(web) };
  process.stdout.write(JSON.stringify(results) + "\n");
  process.exit(0);
}

require("./main.cjs")(main);
