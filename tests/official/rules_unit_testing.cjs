// @firebase/rules-unit-testing, with which JavaScript teams test their security rules, on an emulator.
//
//   node rules_unit_testing.cjs HOST:PORT explicit|hub
//
// prints one JSON line with the outcome of each step ("ok", or the code of the error), and ends. "hub" finds the
// emulators by the environment variable FIREBASE_EMULATOR_HUB.
"use strict";

const testing = require("@firebase/rules-unit-testing");
const { ref, get, set, onValue, update } = require("firebase/database");
const storage = require("firebase/storage");
const firebase = require("firebase/compat/app").default;

const DATABASE_RULES = JSON.stringify({
  rules: {
    public: { ".read": true },
    users: {
      $uid: {
        ".read": "auth.uid === $uid",
        ".write": "auth.uid === $uid || auth.token.admin === true",
        age: { ".validate": "newData.isNumber()" },
      },
    },
  },
});
const STORAGE_RULES = `
rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    match /users/{uid}/{file=**} {
      allow read: if request.auth.uid == uid;
      allow write: if request.auth.uid == uid && request.resource.size < 10 && request.resource.contentType == 'text/plain';
    }
  }
}`;

const bytes = (text) => new TextEncoder().encode(text);

async function outcome(promise) {
  try {
    await promise;
    return "ok";
  } catch (error) {
    return String(error.code || error.message || error);
  }
}

async function database(environment) {
  const [ada, bob] = ["ada", "bob"].map((uid) => environment.authenticatedContext(uid).database());
  const admin = environment.authenticatedContext("root", { admin: true }).database();
  const guest = environment.unauthenticatedContext().database();
  const place = (user) => ref(user, "users/ada");
  const steps = {
    ownWrite: await outcome(testing.assertSucceeds(set(place(ada), { age: 36 }))),
    ownRead: await outcome(testing.assertSucceeds(get(place(ada)))),
    foreignRead: await outcome(testing.assertFails(get(place(bob)))),
    foreignWrite: await outcome(testing.assertFails(set(place(bob), { age: 1 }))),
    adminWrite: await outcome(testing.assertSucceeds(update(place(admin), { age: 37 }))),
    invalidWrite: await outcome(testing.assertFails(set(ref(ada, "users/ada/age"), "old"))),
    guestRead: await outcome(testing.assertSucceeds(get(ref(guest, "public")))),
    guestCode: await outcome(get(place(guest))),
    listen: await new Promise((resolve) => onValue(place(guest), () => resolve("ok"), (error) => resolve(error.code))),
  };
  let seen;
  await environment.withSecurityRulesDisabled(async (context) => {
    seen = (await get(ref(context.database(), "users/ada/age"))).val();
    await set(ref(context.database(), "public"), "written without rules");
  });
  steps.withoutRules = [seen, (await get(ref(guest, "public"))).val()];
  await environment.clearDatabase();
  steps.cleared = (await get(ref(guest, "public"))).val();
  return steps;
}

async function files(environment) {
  const [ada, bob] = ["ada", "bob"].map((uid) => environment.authenticatedContext(uid).storage());
  const text = { contentType: "text/plain" };
  const file = (user, name = "users/ada/a.txt") => storage.ref(user, name);
  const upload = (user, content, metadata) => storage.uploadBytes(file(user), bytes(content), metadata);
  const steps = {
    ownWrite: await outcome(testing.assertSucceeds(upload(ada, "hello", text))),
    ownRead: await outcome(testing.assertSucceeds(storage.getMetadata(file(ada)))),
    foreignRead: await outcome(testing.assertFails(storage.getBytes(file(bob)))),
    foreignWrite: await outcome(testing.assertFails(upload(bob, "x", text))),
    tooLarge: await outcome(testing.assertFails(upload(ada, "x".repeat(10), text))),
    wrongType: await outcome(testing.assertFails(upload(ada, "x", { contentType: "text/html" }))),
    guestCode: await outcome(storage.getMetadata(file(environment.unauthenticatedContext().storage()))),
  };
  await environment.withSecurityRulesDisabled(async (context) => {
    steps.withoutRules = Buffer.from(await storage.getBytes(file(context.storage()))).toString();
    await storage.uploadBytes(file(context.storage(), "top"), bytes("x"));
  });
  await environment.clearStorage(); // deletes what is not in a folder
  await environment.withSecurityRulesDisabled(async (context) => {
    steps.cleared = await outcome(storage.getMetadata(file(context.storage(), "top")));
  });
  return steps;
}

async function main() {
  const [host, how] = process.argv.slice(2);
  const [name, port] = host.split(":");
  const place = how === "hub" ? {} : { host: name, port: Number(port) };
  const environment = await testing.initializeTestEnvironment({
    projectId: "demo-project",
    database: { rules: DATABASE_RULES, ...place },
    storage: { rules: STORAGE_RULES, ...place },
  });
  const results = { database: await database(environment), storage: await files(environment) };
  results.invalidRules = [
    await outcome(testing.initializeTestEnvironment({ projectId: "demo-project", database: { rules: "{", ...place } })),
    await outcome(testing.initializeTestEnvironment({ projectId: "demo-project", storage: { rules: "{", ...place } })),
  ];
  await environment.cleanup();
  await Promise.all(firebase.apps.map((app) => app && app.delete()));
  process.stdout.write(JSON.stringify(results) + "\n");
  process.exit(0);
}

require("./main.cjs")(main);
