// Drives a page in headless Chromium: node page.cjs MODULES JOB. A job is JSON: the address, the window, and steps, done one
// after the other. Each thing that a step finds out is a line of JSON on standard output.
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const [modules, text] = process.argv.slice(2);
const job = JSON.parse(text);
const { chromium } = require(join(modules, "playwright-core"));
const axe = readFileSync(join(modules, "axe-core", "axe.min.js"), "utf8");
const LIMIT = 30000;

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function findings(page) {
  // Through the protocol, past the page's own policy.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

async function take(page, step, parts) {
  if (step === "wait") {
    const [selector, wanted] = parts;
    await page.waitForFunction(
      ([selector, wanted]) => document.querySelector(selector)?.textContent.includes(wanted),
      [selector, wanted],
    );
  } else if (step === "say") tell({ said: parts[0] });
  else if (step === "press") await page.locator(parts[0]).first().press(parts[1]);
  else if (step === "picture") await page.screenshot({ path: parts[0], fullPage: true });
  else if (step === "axe") for (const finding of await findings(page)) tell({ finding });
  else if (step === "wide") tell({ wide: await page.evaluate(() => document.documentElement.scrollWidth) });
  else throw new Error("there is no such step");
}

async function main() {
  const browser = await chromium.launch({ executablePath: job.browser, args: ["--no-sandbox"], timeout: LIMIT });
  try {
    const page = await browser.newPage({
      colorScheme: job.scheme ?? "light",
      viewport: { width: job.width ?? 1100, height: 820 },
      reducedMotion: "reduce",
    });
    page.setDefaultTimeout(LIMIT);
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && tell({ complaint: message.text() }));
    page.on("pageerror", (error) => tell({ complaint: error.message }));
    page.on("request", (request) => request.url().startsWith(job.url) || tell({ elsewhere: request.url() }));
    await page.goto(job.url + (job.path ?? ""));
    for (const [step, ...parts] of job.steps) {
      try {
        await take(page, step, parts);
      } catch (error) {
        throw new Error(`${step} ${parts.join(" ")}: ${error.message}`);
      }
    }
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  tell({ complaint: String(error) });
  process.exitCode = 1;
});
