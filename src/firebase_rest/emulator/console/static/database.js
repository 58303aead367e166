// The tree of a database. Children are loaded in windows, and read again when a write touches them.

import { admin, changesUrl, databaseUrl, read } from "./api.js";
import { ask, attempt, button, confirmed, el, field, options, parseJson, show } from "./dom.js";

const WINDOW = 50;
const MAX_WINDOW = 1000;
const DELAY = 150;

export async function showDatabase(section, state, signal) {
  const chosen = el("select", {}, options(state.databases));
  const path = el("input", { placeholder: "users/ada", spellcheck: false });
  const tree = el("ul", { className: "tree" });
  let current = null;
  const start = () => {
    current?.close();
    current = new Tree(tree, chosen.value, path.value.split("/").filter(Boolean));
    return attempt(() => current.open());
  };
  chosen.addEventListener("change", start);
  const form = el("form", { className: "bar", onsubmit: (event) => { event.preventDefault(); start(); } },
    field("Database", chosen), field("Path", path), el("button", {}, "Go"));
  section.append(el("h2", {}, "Database"), form, tree);
  signal.addEventListener("abort", () => current?.close());
  await start();
}

class Tree {
  constructor(list, database, path) {
    this.list = list;
    this.database = database;
    this.root = new Branch(this, null, path);
    this.dirty = [];
    this.timer = 0;
  }

  async open() {
    this.list.replaceChildren(this.root.item);
    this.events = new EventSource(changesUrl(this.database));
    this.events.addEventListener("put", (event) => this.note(JSON.parse(event.data).path));
    await this.root.expand();
  }

  close() {
    this.events?.close();
    clearTimeout(this.timer);
  }

  note(path) {
    this.dirty.push(path.split("/").filter(Boolean));
    this.timer ||= setTimeout(() => this.refresh(), DELAY);
  }

  async refresh() {
    const dirty = this.dirty;
    this.dirty = [];
    await attempt(() => this.root.refresh(dirty));
    this.timer = this.dirty.length ? setTimeout(() => this.refresh(), DELAY) : 0;
  }
}

function touches(path, dirty) {
  return dirty.some((other) => path.every((key, index) => index >= other.length || key === other[index]));
}

function typeOf(value) {
  return value === null ? "null" : typeof value;
}

// A node: its row and, when it is expanded, the list of its first children.
class Branch {
  constructor(tree, parent, path) {
    this.tree = tree;
    this.parent = parent;
    this.path = path;
    this.limit = WINDOW;
    this.children = new Map();
    this.expanded = false;
    this.shown = null;
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
    const text = isBranch ? `{${summary.count}}` : JSON.stringify(summary.value) + (summary.length ? "…" : "");
    const shown = `${text} ${summary.priority ?? ""}`;
    this.toggle.style.visibility = isBranch ? "visible" : "hidden";
    this.toggle.setAttribute("aria-expanded", String(this.expanded));
    this.toggle.setAttribute("aria-label", `Children of ${this.name}`);
    if (shown === this.shown) return;
    this.value.textContent = summary.priority === undefined ? text : `${text}  priority ${JSON.stringify(summary.priority)}`;
    this.value.className = `value plain ${isBranch ? "muted" : typeOf(summary.value)}`;
    this.value.setAttribute("aria-label", `Edit ${this.name}: ${text}`);
    if (this.shown !== null) {
      this.row.classList.remove("changed");
      requestAnimationFrame(() => this.row.classList.add("changed"));
    }
    this.shown = shown;
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
    const known = this.children;
    this.children = new Map();
    for (const child of window.children) {
      const branch = known.get(child.key) ?? new Branch(tree, this, [...path, child.key]);
      branch.show(child);
      if (branch.expanded && !("count" in child)) branch.collapse();
      this.children.set(child.key, branch);
    }
    const items = [...this.children.values()].map((branch) => branch.item);
    if (window.hasMore && limit < MAX_WINDOW) this.more.textContent = `Show ${WINDOW} more`;
    else this.more.textContent = "Continue from another key …";
    if (window.hasMore || start) items.push(el("li", {}, this.more));
    this.place(items);
  }

  // Replaces the items of the list, but keeps those that stay, with the focus and the text that is edited.
  place(items) {
    const kept = new Set(items);
    for (const item of [...this.list.children]) if (!kept.has(item)) item.remove();
    items.forEach((item, index) => {
      if (this.list.children[index] !== item) this.list.insertBefore(item, this.list.children[index] ?? null);
    });
  }

  async loadMore() {
    if (this.more.textContent.startsWith("Show")) {
      this.limit = Math.min(MAX_WINDOW, this.limit + WINDOW);
    } else {
      const found = await ask("Continue from another key", { key: ["First key", el("input", { spellcheck: false })] },
        { confirm: "Go" });
      if (!found) return;
      this.start = found.key;
      this.limit = WINDOW;
    }
    await this.load();
  }

  async refresh(dirty) {
    if (!this.expanded || !touches(this.path, dirty)) return;
    await this.load();
    await Promise.all([...this.children.values()].map((branch) => branch.refresh(dirty)));
  }

  async edit() {
    const url = databaseUrl(this.tree.database, this.path);
    if (this.toggle.style.visibility === "visible" && Number(this.value.textContent.match(/\d+/)) > MAX_WINDOW) {
      show("This node is too large to edit here. Open a child, or use Export and import.");
      return;
    }
    const text = JSON.stringify(await admin("GET", url), null, 2);
    const input = el("textarea", { value: text, rows: Math.min(20, text.split("\n").length + 1), spellcheck: false });
    await ask(`Edit ${this.name}`, { value: ["JSON", input] },
      { check: ({ value }) => admin("PUT", url, JSON.stringify(parseJson(value))) });
  }

  async add() {
    const key = el("input", { required: true, spellcheck: false });
    const value = el("textarea", { required: true, rows: 4, spellcheck: false, placeholder: '"text", 1, true or {"a": 1}' });
    const added = await ask(`Add a child of ${this.name}`, { key: ["Key", key], value: ["JSON", value] }, {
      confirm: "Add",
      check: (values) => admin("PUT", databaseUrl(this.tree.database, [...this.path, values.key]),
        JSON.stringify(parseJson(values.value))),
    });
    if (added && !this.expanded) await this.expand();
  }

  async remove() {
    if (await confirmed(`Delete ${this.path.join("/") || "everything in this database"}?`)) {
      await admin("DELETE", databaseUrl(this.tree.database, this.path));
    }
  }
}
