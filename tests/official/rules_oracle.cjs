// targaryen, a library that evaluates Realtime Database rules, as a judge of our rules package.
//
// Reads JSON lines on stdin: arrays of cases. Writes one line for each: the array of the responses. First line written:
// {"ready": true, "pid": N}. A case:
//   rules    the content of a rules file
//   data     the database
//   auth     the variable `auth`
//   op       "read", "write" or "update" of `path` ("update": `value` has a value for each path below it)
//   now      the time in ms
// The response: {"allowed": boolean}, {"invalid": message} for rules that cannot be published, or {"error": message}.
'use strict';

const readline = require('node:readline');
const database = require('targaryen/lib/database');

function evaluate(item) {
  let state;
  try {
    state = database.create(item.rules, item.data, item.now);
  } catch (error) {
    return { invalid: String(error.message || error) };
  }
  try {
    state = state.with({ debug: false }).as(item.auth);
    const options = { now: item.now };
    if (item.op === 'read') return { allowed: state.read(item.path, options).allowed };
    const result = item.op === 'write' ? state.write(item.path, item.value, options) : state.update(item.path, item.value, options);
    return { allowed: result.allowed };
  } catch (error) {
    return { error: String(error.stack || error) };
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(JSON.parse(line).map(evaluate))}\n`);
});
process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`);
