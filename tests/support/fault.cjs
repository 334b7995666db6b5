// Loaded into the real gateway before its own code (`node --require`): does, a moment after it is asked for, what
// users report. The file that it looks for holds one word.
const fs = require("node:fs");

if (process.argv.includes("gateway") && process.argv.includes("run")) {
  const file = process.env.LIFEGUARD_FAULT_FILE;
  const faults = {
    throw: () => { throw new Error("a fault was asked for"); },
    block: () => { for (;;) { /* for ever */ } },
    grow: () => { globalThis.grown = Buffer.alloc(700 * 1024 * 1024, 1); },
    heap: () => {
      const kept = [];
      setInterval(() => { for (let i = 0; i < 100; i += 1) kept.push(new Array(20_000).fill(Math.random())); }, 1);
    },
  };
  setInterval(() => {
    let word;
    try {
      word = fs.readFileSync(file, "utf8").trim();
      fs.unlinkSync(file);
    } catch {
      return;
    }
    faults[word]?.();
  }, 100).unref();
}
