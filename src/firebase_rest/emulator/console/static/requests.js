// The section "Requests": the last requests of clients, with their duration and the last rule that was evaluated.

import { read } from "./api.js";
import { attempt, button, el } from "./dom.js";
import { decisionView } from "./decisions.js";
import { every } from "./timers.js";

export async function showRequests(section, state, signal) {
  const body = el("tbody");
  const detail = el("div", { role: "status" });
  const filter = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter" });

  async function load() {
    const { requests } = await read("requests");
    const text = filter.value.toLowerCase();
    const matches = (entry) => `${entry.method} ${entry.url} ${entry.status}`.toLowerCase().includes(text);
    const entries = requests.toReversed().filter(matches);
    const content = JSON.stringify(entries);
    if (content === body.dataset.content) return;
    body.dataset.content = content;
    const emptyRow = el("tr", {}, el("td", { colSpan: 6, className: "muted" }, "No requests."));
    body.replaceChildren(...(entries.length ? entries.map(row) : [emptyRow]));
  }

  function row(entry) {
    const explain = button(entry.rule ?? "No rule applies", () => attempt(() => showDecisions(entry)), "plain");
    const outcome = entry.allowed === null ? null
      : el("span", { className: entry.allowed ? "good" : "bad" }, entry.allowed ? "allowed" : "denied");
    return el("tr", {},
      el("td", { className: "time" }, new Date(entry.time * 1000).toLocaleTimeString()), el("td", {}, entry.method), el("td", {}, entry.url),
      el("td", { className: entry.status >= 400 ? "number bad" : "number" }, String(entry.status ?? "…")),
      el("td", { className: "number" }, entry.milliseconds === null ? "open" : `${entry.milliseconds} ms`),
      el("td", {}, outcome, entry.allowed === null ? null : explain));
  }

  async function showDecisions(entry) {
    const { decisions } = await read("decisions", { number: entry.number });
    detail.replaceChildren(el("h2", {}, `${entry.method} ${entry.url}`), ...decisions.map(decisionView));
    detail.scrollIntoView();
  }

  filter.addEventListener("input", () => attempt(load));
  section.append(el("h2", {}, "Requests"), el("div", { className: "bar" }, filter),
    el("div", { className: "scroll", tabindex: "0", role: "region", "aria-label": "Requests" }, el("table", {},
      el("thead", {}, el("tr", {}, ["Time", "Method", "URL", "Status", "Duration", "Rules"].map((text) => el("th", { scope: "col" }, text)))), body)),
    detail);
  await load();
  every(1000, signal, load);
}
