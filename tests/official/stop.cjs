// A child of a test run must not outlive it: it ends on SIGTERM, and when its standard input closes.
'use strict';

module.exports = function stopWithParent(cleanUp = () => {}) {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    try {
      cleanUp();
    } finally {
      process.exit(0);
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop);
  process.stdin.on('close', stop);
  return stop;
};
