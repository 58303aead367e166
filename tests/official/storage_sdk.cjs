// The official JavaScript Storage SDK as a client of an emulator: a program's day with files.
//
//   node storage_sdk.cjs HOST:PORT
//
// prints one JSON line with what the SDK gave it, and ends.
'use strict';

const { initializeApp } = require('@firebase/app');
const storage = require('@firebase/storage');

const BUCKET = 'demo-project.appspot.com';
const NAMES = ['plain', 'a b', '100%', '#1', 'who?', 'a+b', 'é', '🎉', 'x'.repeat(1024)];

const bytes = (length) => new Uint8Array(length).map((_, index) => index % 251);

const outcome = (promise) => promise.then(() => 'no error', (error) => error.code);

async function uploads(root) {
  const file = storage.ref(root, 'dir/a.txt');
  const settings = { contentType: 'text/plain', cacheControl: 'no-store', customMetadata: { owner: 'ann' } };
  const { metadata } = await storage.uploadBytes(file, new TextEncoder().encode('hello world'), settings);
  const text = await storage.uploadString(storage.ref(root, 'dir/text'), 'aGVsbG8=', 'base64', {});
  const changed = await storage.updateMetadata(file, { contentType: 'a/b', customMetadata: { owner: null, new: 'x' } });
  const url = await storage.getDownloadURL(file);
  return {
    metadata: plain(metadata),
    text: plain(text.metadata),
    changed: plain(changed),
    whole: Buffer.from(await storage.getBytes(file)).toString(),
    start: Buffer.from(await storage.getBytes(file, 5)).toString(),
    shared: await (await fetch(url)).text(),
  };
}

async function largeFile(root) {
  const data = bytes(2 * 1024 * 1024 + 17);
  const file = storage.ref(root, 'large');
  const task = storage.uploadBytesResumable(file, data, { contentType: 'a/b' });
  const steps = [];
  task.on('state_changed', (snapshot) => steps.push(snapshot.bytesTransferred));
  const { metadata } = await task;
  const back = Buffer.from(await storage.getBytes(file));
  return { metadata: plain(metadata), total: steps.at(-1), same: Buffer.compare(back, Buffer.from(data)) === 0 };
}

async function names(root) {
  const back = [];
  for (const name of NAMES) {
    const file = storage.ref(root, name);
    await storage.uploadBytes(file, new TextEncoder().encode(name), {});
    back.push(Buffer.from(await storage.getBytes(file)).toString());
    await storage.deleteObject(file);
  }
  return back;
}

async function lists(root) {
  for (const name of ['l/a', 'l/b', 'l/sub/c', 'l/z']) await storage.uploadBytes(storage.ref(root, name), bytes(1));
  const all = await storage.listAll(storage.ref(root, 'l'));
  return { items: all.items.map(String), prefixes: all.prefixes.map(String) };
}

async function errors(root) {
  const none = storage.ref(root, 'none');
  return [
    await outcome(storage.getMetadata(none)),
    await outcome(storage.getBytes(none)),
    await outcome(storage.deleteObject(none)),
    await outcome(storage.getDownloadURL(none)),
  ];
}

// What chance decides is left out; the name of the file in contentDisposition is production's, not everybody's.
// And the official emulator says {} for no custom metadata.
function plain({ ref, generation, timeCreated, updated, contentDisposition, customMetadata, ...metadata }) {
  return Object.keys(customMetadata ?? {}).length ? { ...metadata, customMetadata } : metadata;
}

async function main() {
  const app = initializeApp({ apiKey: 'any', projectId: 'demo-project', storageBucket: BUCKET });
  const service = storage.getStorage(app);
  const [host, port] = process.argv[2].split(':');
  storage.connectStorageEmulator(service, host, Number(port));
  const root = storage.ref(service);
  const parts = { uploads, largeFile, names, lists, errors };
  const said = {};
  for (const [name, part] of Object.entries(parts)) said[name] = await part(root);
  process.stdout.write(JSON.stringify(said) + '\n', () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
