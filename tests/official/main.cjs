// Runs the main function of a program that prints its result: all other output goes to the standard error.
'use strict';

module.exports = function runMain(main) {
  console.log = console.warn = console.info = (...values) => process.stderr.write(values.join(" ") + "\n");
  main().catch((error) => {
    console.error(error);
    process.exit(1);
  });
};
