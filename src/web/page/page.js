// The status page: shows what Lifeguard sends, and says so when it stops sending. It reads only; every word comes from
// Lifeguard (src/text/page.rs).
"use strict";

const words = JSON.parse(document.getElementById("words").textContent);
const element = (id) => document.getElementById(id);
const SILENCE = 12000; // Lifeguard speaks every 5 s at least.
const AGAIN = 3000; // After a question that was not answered.
const GLYPHS = {
  healthy: "M13 25l8 8 15-17", degraded: "M24 12v14M24 34v.5", down: "M15 15l18 18M33 15L15 33",
  healing: "M36 20a13 13 0 1 0 .6 8M37 11v9h-9", starting: "M36 20a13 13 0 1 0 .6 8M37 11v9h-9",
  safe_mode: "M24 10l12 5v9c0 8-5 12-12 15-7-3-12-7-12-15v-9z", blocked: "M24 12v14M24 34v.5",
  paused: "M18 14v20M30 14v20", stopped: "M16 16h16v16H16z", not_installed: "M14 24h20",
  stale: "M17 18c0-9 14-9 14 0 0 6-7 6-7 11M24 36v.5",
};
const KINDS = ["good", "impaired", "healing", "bad", "calm"];
const KIND_OF = {
  healthy: "good", degraded: "impaired", healing: "healing", starting: "healing", down: "bad", blocked: "bad",
  safe_mode: "bad", paused: "calm", stopped: "calm", not_installed: "calm", stale: "calm",
};

let news = null; // The newest picture.
let heard = 0; // When it came, on the page's own clock.
let offset = 0; // Lifeguard's wall clock less ours.
let chosen = new URLSearchParams(location.search).get("gateway");
let span = "day";
let past = null;
let asked = 0; // Numbers the questions about the past: a late answer to an old one is not shown.

// --- words --------------------------------------------------------------------------------------------------------

const say = (key, ...parts) => {
  let place = 0;
  return (words[key] ?? key).replace(/\{\}/g, () => parts[place++]);
};

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  let at = units.findIndex(([size]) => seconds >= size);
  if (at < 0) at = 3;
  const part = (count, unit) => `${count}${words.unit_space}${words[`unit_${unit}`]}`;
  const [size, unit] = units[at];
  const below = units[at + 1];
  const rest = below ? Math.floor((seconds % size) / below[0]) : 0;
  return part(Math.floor(seconds / size), unit) + (rest ? ` ${part(rest, below[1])}` : "");
}

const now = () => Date.now() + offset;
const since = (at) => duration(now() - at);
const until = (at) => duration(at - now());
const locale = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const short = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
const moment = (at) => `${day.format(at)} ${clock.format(at)}`;

function bytes(count) {
  const megabytes = Math.floor(count / 1048576);
  return megabytes < 1024 ? `${megabytes} MB` : `${(megabytes / 1024).toFixed(1)} GB`;
}

function time(microseconds) {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`;
  if (microseconds < 1e6) return `${(microseconds / 1000).toFixed(microseconds < 1e4 ? 1 : 0)} ms`;
  return `${(microseconds / 1e6).toFixed(1)} s`;
}

// --- drawing ------------------------------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";

function draw(name, attributes = {}, ...children) {
  const drawn = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) drawn.setAttribute(key, value);
  drawn.append(...children);
  return drawn;
}

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const put = (id, text) => {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
};

// A chart is drawn as wide as its place, so that its letters keep their size.
const wide = (id) => Math.max(240, element(id).clientWidth);

function axis(chart, from, to, left, right, bottom) {
  const format = to - from > 2 * 86400000 ? day : short;
  for (let part = 0; part <= 4; part++) {
    const x = left + ((right - left) * part) / 4;
    const anchor = part === 0 ? "start" : part === 4 ? "end" : "middle";
    if (right - left < 320 && part % 2) continue;
    const text = part === 4 ? words.axis_now : format.format(from + ((to - from) * part) / 4);
    chart.append(draw("text", { x, y: bottom + 15, "text-anchor": anchor }, text));
  }
}

function showBand() {
  const width = wide("band"), height = 44;
  const label = `${element("uptime").textContent} ${element("uptime-words").textContent}`;
  const chart = draw("svg", { class: "chart", viewBox: `0 0 ${width} ${height + 20}`, role: "img", "aria-label": label });
  const count = Math.round((past.to - past.from) / past.width);
  const step = width / count;
  const known = new Map(past.buckets.map((bucket) => [Math.round((bucket[0] - past.from) / past.width), bucket]));
  for (let place = 0; place < count; place++) {
    const bucket = known.get(place);
    const group = draw("g");
    const box = (kind, y, tall) =>
      group.append(draw("rect", { class: `fill-${kind}`, x: place * step + 0.5, y, width: Math.max(1, step - 1.5), height: tall, rx: 1.5 }));
    if (!bucket) {
      box("none", 0, height);
    } else {
      const shares = Object.fromEntries(KINDS.map((kind, at) => [kind, bucket[at + 1]]));
      const total = Object.values(shares).reduce((sum, share) => sum + share, 0) || 1;
      const ground = ["good", "calm", "impaired", "healing", "bad"].reduce((best, kind) => (shares[kind] > shares[best] ? kind : best), "good");
      box(ground, 0, height);
      // However short an outage was, it is seen.
      let y = height;
      for (const kind of ["bad", "healing", "impaired"]) {
        if (kind === ground || !shares[kind]) continue;
        const tall = Math.max(height * 0.22, (height * shares[kind]) / total);
        y = Math.max(0, y - tall);
        box(kind, y, tall);
      }
    }
    const at = past.from + place * past.width;
    group.append(draw("title", {}, `${moment(at)}`));
    chart.append(group);
  }
  axis(chart, past.from, past.to, 0, width, height);
  element("band").replaceChildren(chart);
  const shown = ["good", "impaired", "healing", "bad", "calm", "none"];
  element("legend").replaceChildren(...shown.map((kind) => make("li", {}, make("i", { class: `fill-${kind}` }), words[`kind_${kind}`])));
}

// `places`: where mean and most stand in a point. `lines`: [class, value, label].
function showChart(id, places, lines, format, top, label, trend) {
  const width = wide(id), height = 150, left = 52;
  const points = past.points.filter((point) => point[places[0]] !== null);
  if (!points.length) {
    element(id).replaceChildren(make("p", { class: "empty" }, words.no_data));
    return;
  }
  const chart = draw("svg", { class: "chart", viewBox: `0 -8 ${width} ${height + 28}`, role: "img", "aria-label": label });
  const end = trend ? past.to + (past.to - past.from) * 0.25 : past.to;
  const x = (at) => left + ((at - past.from) / (end - past.from)) * (width - left);
  const y = (value) => height - (Math.min(value, top) / top) * height;
  for (const part of [0, 0.5, 1]) {
    chart.append(draw("line", { class: "grid", x1: left, x2: width, y1: y(top * part), y2: y(top * part) }));
    chart.append(draw("text", { x: left - 8, y: y(top * part) + 4, "text-anchor": "end" }, format(top * part)));
  }
  for (const [kind, value, name] of lines) {
    if (value > top) continue;
    chart.append(draw("line", { class: kind, x1: left, x2: width, y1: y(value), y2: y(value) }));
    chart.append(draw("text", { x: width, y: y(value) - 4, "text-anchor": "end" }, name));
  }
  // Where nobody looked there is no line.
  const runs = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run && point[0] - run.at(-1)[0] <= past.step * 2.5) run.push(point);
    else runs.push([point]);
  }
  for (const run of runs) {
    if (run.length === 1) run.push([run[0][0] + past.step * 0.6, ...run[0].slice(1)]);
    const path = (place, list) => list.map((point, at) => `${at ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[place]).toFixed(1)}`).join("");
    const back = path(places[0], [...run].reverse()).replace("M", "L");
    chart.append(draw("path", { class: "area", d: `${path(places[1], run)}${back}Z` }));
    chart.append(draw("path", { class: "line", d: path(places[0], run) }));
  }
  if (trend) {
    const last = points.at(-1);
    const rise = (trend * (end - last[0])) / 3600000;
    chart.append(draw("path", { class: "trend", d: `M${x(last[0])} ${y(last[places[0]])}L${x(end)} ${y(last[places[0]] + rise)}` }));
  }
  axis(chart, past.from, past.to, left, x(past.to), height);
  element(id).replaceChildren(chart);
}

const most = (place) => past.points.reduce((high, point) => Math.max(high, point[place] ?? 0), 0);

function showPast() {
  const gateway = current();
  if (!past || !gateway) return;
  put("uptime", past.uptime === null ? "–" : `${(Math.floor(past.uptime * 10000) / 100).toFixed(2)} %`);
  const down = past.down ? say("down_for", duration(past.down), past.incidents) : words.never_down;
  put("uptime-words", past.uptime === null ? words.no_data : down);
  showBand();
  const limits = news.limits;
  const slowest = most(2);
  const latencyTop = slowest * 4 > limits.slow ? Math.max(slowest, limits.slow) * 1.1 : Math.max(slowest * 1.25, 1000);
  const latencyLines = [["warning", limits.slow, say("slow_from", time(limits.slow))]];
  showChart("latency", [1, 2], latencyLines, time, latencyTop, say("latency_label", time(slowest)));
  put("latency-note", !slowest ? "" : say("latency_note", time(slowest), time(limits.slow)));
  const lines = [["warning", limits.warning, words.warning], ["critical", limits.critical, words.critical], ["limit", limits.limit, words.limit]];
  const highest = most(4);
  const top = gateway.leak ? limits.limit * 1.08 : Math.max(highest * 1.25, limits.warning * 1.12);
  showChart("memory", [3, 4], lines, bytes, top, say("memory_label", bytes(highest)), gateway.leak?.per_hour);
  const leak = gateway.leak ? say("leak_note", bytes(gateway.leak.per_hour), duration(gateway.leak.limit_in)) : highest ? say("memory_note", bytes(highest), bytes(limits.limit)) : "";
  put("memory-note", leak);
  element("memory-note").classList.toggle("warn", Boolean(gateway.leak));
}

// --- the picture of now -------------------------------------------------------------------------------------------

const current = () => news?.gateways.find((gateway) => gateway.name === chosen) ?? news?.gateways[0];

function showNow() {
  const gateway = current();
  if (!gateway) {
    document.body.dataset.state = "not_installed";
    put("headline", words.state_not_installed);
    return;
  }
  const offline = document.body.classList.contains("offline");
  const state = offline ? "stale" : gateway.health;
  document.body.dataset.state = state;
  document.body.classList.remove("waiting");
  element("glyph").setAttribute("d", GLYPHS[state]);
  put("which", [gateway.name, gateway.practice ? words.practice : ""].filter(Boolean).join(" · "));
  const headline = offline ? words.headline_offline : words[`state_${state}`];
  put("headline", headline);
  document.title = `${headline} · ${gateway.name} · Lifeguard`;
  put("sentence", offline ? say("last_known", words[`state_${gateway.health}`], moment(news.taken)) : sentence(gateway));
  put("next", offline ? "" : next(gateway));
  const notices = [gateway.notice, ...news.notices].filter(Boolean);
  element("notice").hidden = notices.length === 0;
  put("notice", notices.join("\n"));
  const facts = [
    ["fact_checked", gateway.checked && say("ago", since(gateway.checked))],
    ["fact_uptime", gateway.uptime && duration(gateway.uptime + (now() - news.taken))],
    ["fact_latency", gateway.latency !== null && time(gateway.latency)],
    ["fact_memory", gateway.memory !== null && bytes(gateway.memory)],
    ["fact_work", gateway.pid && gateway.in_flight],
    ["fact_version", gateway.version],
    ["fact_address", gateway.address],
    ["fact_service", `${gateway.service}${gateway.pid ? ` (${gateway.pid})` : ""}`],
  ].filter(([, value]) => value || value === 0);
  element("facts").replaceChildren(...facts.map(([key, value]) => make("li", {}, `${words[key]} `, make("b", {}, String(value)))));
  put("latency-now", gateway.latency === null ? "–" : time(gateway.latency));
  put("memory-now", gateway.memory === null ? "–" : bytes(gateway.memory));
  showBreaker(gateway);
  showNeeds(gateway);
  showChannels();
  showGateways();
  put("about", say("about", news.lifeguard_version, clock.format(news.taken)));
}

function sentence(gateway) {
  const parts = [say("for", since(gateway.since))];
  if (gateway.health !== "healthy") parts.unshift(gateway.verdict);
  if (gateway.heal) parts.push(say("trying", gateway.heal.rung, since(gateway.heal.began)));
  return parts.join(" · ");
}

function next(gateway) {
  const troubles = gateway.needs.filter((need) => need.trouble);
  if (gateway.health !== "healthy" && troubles.length) return troubles.map((need) => need.sentence).join("; ");
  if (gateway.pause) return gateway.pause.until ? say("paused_until", short.format(gateway.pause.until)) : words.paused;
  if (gateway.next_attempt && !gateway.heal && ["down", "safe_mode"].includes(gateway.health)) {
    return gateway.next_attempt > now() ? say("next_attempt", until(gateway.next_attempt)) : words.next_now;
  }
  return words[`advice_${gateway.health}`] ?? "";
}

function showBreaker(gateway) {
  put("breaker-state", words[`breaker_${gateway.breaker}`]);
  const label = say("crashes", gateway.crashes, gateway.crash_limit);
  const pips = make("div", { class: "pips", role: "img", "aria-label": label });
  for (let place = 0; place < Math.min(gateway.crash_limit, 24); place++) pips.append(make("i", place < gateway.crashes ? { class: "on" } : {}));
  element("counter").replaceChildren(make("p", {}, label), pips);
  const notes = [];
  if (gateway.breaker === "open" && gateway.next_attempt) notes.push(say("next_trial", until(gateway.next_attempt)));
  if (gateway.crashes_clear) notes.push(say("clears", until(gateway.crashes_clear)));
  put("breaker-note", notes.length ? notes.join(" · ") : words[`breaker_note_${gateway.breaker}`]);
}

function showNeeds(gateway) {
  const shape = JSON.stringify([gateway.needs, gateway.name, document.body.dataset.state]);
  if (element("needs").dataset.shape === shape) return;
  element("needs").dataset.shape = shape;
  const rows = Math.max(1, gateway.needs.length);
  const height = rows * 46 + 8;
  const label = gateway.needs.map((need) => need.trouble ? need.sentence : say("need_fine", need.name)).join("; ");
  const chart = draw("svg", { class: "needs", viewBox: `0 0 440 ${height}`, role: "img", "aria-label": label });
  const box = (x, y, width, text, kind) => draw("g", { class: kind },
    draw("rect", { x, y: y - 17, width, height: 34, rx: 9 }), draw("text", { x: x + width / 2, y }, text.length > 25 ? `${text.slice(0, 24)}…` : text));
  gateway.needs.forEach((need, place) => {
    const y = place * 46 + 27;
    const kind = need.trouble ? "missing" : "";
    chart.append(draw("path", { class: kind, d: `M150 ${height / 2}C200 ${height / 2} 190 ${y} 240 ${y}` }));
    chart.append(box(240, y, 196, need.name, kind));
  });
  chart.append(box(4, height / 2, 146, gateway.name, "centre"));
  const troubles = gateway.needs.filter((need) => need.trouble).map((need) => make("p", { class: "troubles" }, need.sentence));
  element("needs").replaceChildren(chart, ...troubles);
}

function showChannels() {
  const place = element("channels");
  if (!news.channels.length) {
    place.replaceChildren(make("p", { class: "empty" }, words.no_channels));
    return;
  }
  const head = ["channel", "last_delivery", "waiting"].map((key) => make("th", { scope: "col" }, words[key]));
  const rows = news.channels.map((channel) => {
    const last = channel.last ? say("delivered", channel.last.kind, since(channel.last.at)) : words.nothing_delivered;
    const cell = make("td", {}, last);
    if (channel.problem) cell.append(make("p", { class: "problem" }, channel.problem));
    return make("tr", {}, make("th", { scope: "row" }, channel.name), cell, make("td", {}, String(channel.waiting)));
  });
  place.replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)));
}

function showGateways() {
  const place = element("gateways");
  place.hidden = news.gateways.length < 2;
  const shape = JSON.stringify(news.gateways.map((gateway) => [gateway.name, gateway.health, current().name]));
  if (place.hidden || place.dataset.shape === shape) return;
  const focused = document.activeElement?.dataset?.gateway;
  place.dataset.shape = shape;
  place.replaceChildren(...news.gateways.map((gateway) => {
    const button = make("button", { type: "button", "data-gateway": gateway.name, "aria-current": String(gateway.name === current().name) },
      gateway.name, make("span", { class: "hidden" }, `: ${words[`state_${gateway.health}`]}`));
    button.style.setProperty("--dot", `var(--${KIND_OF[gateway.health]}-band)`);
    button.addEventListener("click", () => {
      chosen = gateway.name;
      showNow();
      ask();
    });
    return button;
  }));
  if (focused) place.querySelector(`[data-gateway="${CSS.escape(focused)}"]`)?.focus();
}

// --- incidents ----------------------------------------------------------------------------------------------------

const DOTS = { observed: "bad", changed: "impaired", process_ended: "bad", heal_began: "healing", heal_ended: "calm", told: "calm", over: "good" };

function incident(record, lasting) {
  const length = make("span", { class: lasting ? "length lasting" : "length" }, lasting ? words.lasting : duration(record.duration));
  const row = make("details", { class: "incident", "data-incident": record.id },
    make("summary", {}, make("span", { class: "when" }, moment(record.began)), make("span", { class: "what" }, record.what), length));
  const story = make("div", { class: "story" });
  row.append(story);
  row.addEventListener("toggle", () => row.open && tell(record, story));
  return row;
}

async function tell(record, story) {
  const found = await fetchJson("/api/incident", { gateway: current().name, id: record.id });
  if (!found) {
    story.replaceChildren(make("p", { class: "empty" }, words.no_answer));
    return;
  }
  const lines = found.entries.map((entry) => {
    const line = make("li", {}, make("time", {}, clock.format(entry.at)), make("span", {}, entry.text));
    line.style.setProperty("--dot", `var(--${DOTS[entry.what] ?? "calm"}-band)`);
    return line;
  });
  const parts = [lines.length ? make("ol", {}, ...lines) : make("p", { class: "empty" }, words.no_timeline)];
  if (found.deliveries.length) {
    parts.push(make("h3", {}, words.deliveries), make("ul", {}, ...found.deliveries.map((text) => make("li", {}, text))));
    parts.at(-1).className = "plain";
  }
  if (found.evidence) {
    parts.push(make("h3", {}, words.evidence), make("p", {}, found.evidence.folder));
    if (found.evidence.log) parts.push(make("details", {}, make("summary", {}, words.log_tail), make("pre", { tabindex: "0" }, found.evidence.log)));
  }
  story.replaceChildren(...parts);
}

let oldest = null;

async function showIncidents(more = false) {
  const gateway = current();
  if (!gateway) return;
  const found = await fetchJson("/api/incidents", { gateway: gateway.name, ...(more && oldest ? { before: oldest } : {}) });
  if (current()?.name !== gateway.name) return;
  if (!found) {
    setTimeout(() => showIncidents(more), AGAIN);
    return;
  }
  const place = element("incidents");
  const open = new Set([...place.querySelectorAll("details.incident[open]")].map((row) => row.dataset.incident));
  const rows = found.incidents.map((record) => incident(record, record.ended === null));
  if (more) place.append(...rows);
  else if (rows.length) place.replaceChildren(...rows);
  else place.replaceChildren(make("p", { class: "empty" }, words.no_incidents));
  for (const row of rows) row.open = open.has(row.dataset.incident);
  oldest = found.incidents.at(-1)?.began ?? oldest;
  element("older").hidden = !found.more;
}

// --- talking to Lifeguard -----------------------------------------------------------------------------------------

async function fetchJson(path, query) {
  try {
    const answer = await fetch(`${path}?${new URLSearchParams({ language: locale, ...query })}`, { signal: AbortSignal.timeout(5000) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // The banner says that nobody answers.
  }
}

async function ask() {
  const gateway = current();
  if (!gateway) return;
  const number = ++asked;
  const found = await fetchJson("/api/past", { gateway: gateway.name, span });
  if (number !== asked) return;
  if (!found) {
    setTimeout(() => number === asked && ask(), AGAIN);
    return;
  }
  const flat = ([at, values]) => [at, ...values];
  past = { ...found, buckets: found.buckets.map(flat), points: found.points.map(flat) };
  showPast();
  if (!element("incidents").contains(document.activeElement)) await showIncidents();
}

function hear(event) {
  const before = JSON.stringify(news?.gateways.map((gateway) => [gateway.name, gateway.incident, gateway.health]));
  news = JSON.parse(event.data);
  heard = performance.now();
  offset = news.now - Date.now();
  setOffline(false);
  showNow();
  const after = JSON.stringify(news.gateways.map((gateway) => [gateway.name, gateway.incident, gateway.health]));
  if (before !== after) ask();
}

function setOffline(offline) {
  if (document.body.classList.contains("offline") === offline) return;
  document.body.classList.toggle("offline", offline);
  element("offline").hidden = !offline;
}

setInterval(() => {
  const silence = performance.now() - heard;
  setOffline(silence > SILENCE);
  if (silence > SILENCE) put("offline", heard ? say("offline", duration(silence)) : words.never_heard);
  if (news) showNow();
}, 1000);
setInterval(() => !document.body.classList.contains("offline") && ask(), 60000);
for (const input of document.querySelectorAll("#spans input")) {
  input.addEventListener("change", () => {
    span = input.value;
    ask();
  });
}
window.addEventListener("resize", () => past && showPast());
element("older").addEventListener("click", () => showIncidents(true));
const source = new EventSource(`/events?${new URLSearchParams({ language: locale })}`);
source.addEventListener("message", hear);
