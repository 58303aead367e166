// The section "Database": the tree of a database. Children are loaded in windows, and loaded again after a write.

import { admin, changesUrl, databaseUrl, read, readValue, replaceValue } from "./api.js";
import { ask, attempt, button, confirmed, el, field, options, parseJson, show } from "./dom.js";

const WINDOW = 50;
const MAX_WINDOW = 1000;
const REFRESH_DELAY = 150;  // milliseconds

export async function showDatabase(section, state, signal) {
  const database = el("select", {}, options(state.databases));
  const path = el("input", { placeholder: "users/ada", spellcheck: false });
  const list = el("ul", { className: "tree" });
  let tree = null;
  const start = () => {
    tree?.close();
    tree = new Tree(list, database.value, path.value.split("/").filter(Boolean));
    return attempt(() => tree.open());
  };
  database.addEventListener("change", start);
  const form = el("form", { className: "bar", onsubmit: (event) => { event.preventDefault(); start(); } },
    field("Database", database), field("Path", path), el("button", {}, "Go"));
  section.append(el("h2", {}, "Database"), form, list);
  signal.addEventListener("abort", () => tree?.close());
  await start();
}

class Tree {
  constructor(list, database, path) {
    this.list = list;
    this.database = database;
    this.root = new Branch(this, null, path);
    this.writtenPaths = [];
    this.timer = 0;
  }

  async open() {
    this.list.replaceChildren(this.root.item);
    this.events = new EventSource(changesUrl(this.database));
    this.events.addEventListener("put", (event) => this.scheduleRefresh(JSON.parse(event.data).path));
    await this.root.expand();
  }

  close() {
    this.events?.close();
    clearTimeout(this.timer);
  }

  scheduleRefresh(path) {
    this.writtenPaths.push(path.split("/").filter(Boolean));
    this.timer ||= setTimeout(() => this.refresh(), REFRESH_DELAY);
  }

  async refresh() {
    const writtenPaths = this.writtenPaths;
    this.writtenPaths = [];
    await attempt(() => this.root.refresh(writtenPaths));
    this.timer = this.writtenPaths.length ? setTimeout(() => this.refresh(), REFRESH_DELAY) : 0;
  }
}

// Returns whether one of the written paths is above, at or below `path`.
function isAffected(path, writtenPaths) {
  return writtenPaths.some((written) => path.every((key, index) => index >= written.length || key === written[index]));
}

function typeOf(value) {
  return value === null ? "null" : typeof value;
}

// A node: its row, and the list of its first children if it is expanded.
class Branch {
  constructor(tree, parent, path) {
    this.tree = tree;
    this.parent = parent;
    this.path = path;
    this.limit = WINDOW;
    this.children = new Map();
    this.expanded = false;
    this.content = null;
    this.start = "";
    this.toggle = button("▸", () => attempt(() => this.expanded ? this.collapse() : this.expand()), "toggle");
    this.value = button("", () => attempt(() => this.edit()), "value plain");
    this.more = button("", () => attempt(() => this.loadMore()), "plain");
    this.list = el("ul");
    this.row = el("div", { className: "row" }, this.toggle, el("span", { className: "key" }, this.name), this.value,
      el("span", { className: "actions" },
        button("Add", () => attempt(() => this.add()), "plain", `Add a child of ${this.name}`),
        button("Delete", () => attempt(() => this.remove()), "plain danger", `Delete ${this.name}`)));
    this.item = el("li", {}, this.row);
  }

  get name() {
    return this.path.at(-1) ?? this.tree.database;
  }

  show(summary) {
    const isBranch = "count" in summary;
    const leaf = (summary.text ?? JSON.stringify(summary.value)) + (summary.length ? "…" : "");
    const text = isBranch ? `{${summary.count}}` : leaf;
    const content = `${text} ${summary.priority ?? ""}`;
    this.toggle.style.visibility = isBranch ? "visible" : "hidden";
    this.toggle.setAttribute("aria-expanded", String(this.expanded));
    this.toggle.setAttribute("aria-label", `Children of ${this.name}`);
    if (content === this.content) return;
    this.value.textContent = summary.priority === undefined ? text : `${text}  priority ${JSON.stringify(summary.priority)}`;
    this.value.className = `value plain ${isBranch ? "muted" : typeOf(summary.value)}`;
    this.value.setAttribute("aria-label", `Edit ${this.name}: ${text}`);
    if (this.content !== null) {
      this.row.classList.remove("changed");
      requestAnimationFrame(() => this.row.classList.add("changed"));
    }
    this.content = content;
  }

  async expand() {
    this.expanded = true;
    this.toggle.textContent = "▾";
    this.item.append(this.list);
    await this.load();
  }

  collapse() {
    this.expanded = false;
    this.toggle.textContent = "▸";
    this.toggle.setAttribute("aria-expanded", "false");
    this.children.clear();
    this.list.replaceChildren();
    this.list.remove();
    this.limit = WINDOW;
    this.start = "";
  }

  async load() {
    const { tree, path, limit, start } = this;
    const window = await read("children", { database: tree.database, path: path.join("/"), limit, start });
    if (!this.expanded) return;
    this.show(window);
    const previous = this.children;
    this.children = new Map();
    for (const child of window.children) {
      const branch = previous.get(child.key) ?? new Branch(tree, this, [...path, child.key]);
      branch.show(child);
      if (branch.expanded && !("count" in child)) branch.collapse();
      this.children.set(child.key, branch);
    }
    const items = [...this.children.values()].map((branch) => branch.item);
    if (window.hasMore && limit < MAX_WINDOW) this.more.textContent = `Show ${WINDOW} more`;
    else this.more.textContent = "Continue from another key …";
    if (window.hasMore || start) items.push(el("li", {}, this.more));
    this.replaceItems(items);
  }

  // Replaces the items of the list. Items that stay are not removed, because they may contain the focus.
  replaceItems(items) {
    const remaining = new Set(items);
    for (const item of [...this.list.children]) if (!remaining.has(item)) item.remove();
    items.forEach((item, index) => {
      if (this.list.children[index] !== item) this.list.insertBefore(item, this.list.children[index] ?? null);
    });
  }

  async loadMore() {
    if (this.more.textContent.startsWith("Show")) {
      this.limit = Math.min(MAX_WINDOW, this.limit + WINDOW);
    } else {
      const answer = await ask("Continue from another key", { key: ["First key", el("input", { spellcheck: false })] },
        { confirm: "Go" });
      if (!answer) return;
      this.start = answer.key;
      this.limit = WINDOW;
    }
    await this.load();
  }

  async refresh(writtenPaths) {
    if (!this.expanded || !isAffected(this.path, writtenPaths)) return;
    await this.load();
    await Promise.all([...this.children.values()].map((branch) => branch.refresh(writtenPaths)));
  }

  async edit() {
    const url = databaseUrl(this.tree.database, this.path, { print: "pretty" });
    if (this.toggle.style.visibility === "visible" && Number(this.value.textContent.match(/\d+/)) > MAX_WINDOW) {
      show("This node is too large to edit here. Open a child, or use Export and import.");
      return;
    }
    let current = await readValue(url);
    const rows = Math.min(20, current.text.split("\n").length + 1);
    const input = el("textarea", { value: current.text, rows, spellcheck: false });
    await ask(`Edit ${this.name}`, { value: ["JSON", input] },
      { check: async ({ value }) => {
        parseJson(value);
        const other = await replaceValue(url, value, current.etag);
        if (!other) return;
        current = other;
        throw new Error(`The value has changed to ${other.text.slice(0, 200)}. Save again to replace it.`);
      } });
  }

  async add() {
    const key = el("input", { required: true, spellcheck: false });
    const value = el("textarea", { required: true, rows: 4, spellcheck: false, placeholder: '"text", 1, true or {"a": 1}' });
    const added = await ask(`Add a child of ${this.name}`, { key: ["Key", key], value: ["JSON", value] }, {
      confirm: "Add",
      check: (values) => {
        parseJson(values.value);
        return admin("PUT", databaseUrl(this.tree.database, [...this.path, values.key]), values.value);
      },
    });
    if (added && !this.expanded) await this.expand();
  }

  async remove() {
    if (await confirmed(`Delete ${this.path.join("/") || "everything in this database"}?`)) {
      await admin("DELETE", databaseUrl(this.tree.database, this.path));
    }
  }
}
