// The section "Rules": an editor of the security rules, a simulator of operations, and the coverage.

import { act, admin, databaseUrl, read } from "./api.js";
import { attempt, button, el, field, options, parseJson, show } from "./dom.js";
import { decisionView } from "./decisions.js";

const OPERATIONS = { database: ["read", "set", "update", "delete"], storage: ["get", "list", "create", "update", "delete"] };

export async function showRules(section, state) {
  const service = el("select", {}, options(["database", "storage"]));
  const database = el("select", {}, options(state.databases));
  const text = el("textarea", { rows: 22, spellcheck: false, "aria-label": "Rules" });
  const databaseField = field("Database", database);
  const coverage = el("div");
  const simulator = new Simulator(service, database, state, text);

  async function load() {
    const rules = await read("rules", { database: database.value });
    text.value = rules[service.value];
    text.placeholder = "No rules are published: everything is open.";
    databaseField.hidden = service.value !== "database";
    simulator.update();
    await showCoverage();
  }

  async function publish() {
    if (service.value === "database") {
      await admin("PUT", databaseUrl(database.value, [".settings", "rules"]), text.value);
    } else {
      const files = [{ name: "storage.rules", content: text.value }];
      await admin("PUT", "/internal/setRules", { rules: { files } });
    }
    show("Published.");
    await showCoverage();
  }

  async function showCoverage() {
    const { files } = await read("coverage");
    coverage.replaceChildren(...files.filter((file) => file.kind === service.value).map(coverageView));
  }

  service.addEventListener("change", () => attempt(load));
  database.addEventListener("change", () => attempt(load));
  section.append(el("h2", {}, "Rules"),
    el("div", { className: "bar" }, field("Service", service), databaseField),
    el("div", { className: "columns" },
      el("div", {}, text, el("div", { className: "bar" }, button("Publish", () => attempt(publish), "primary"),
        button("Discard changes", () => attempt(load)))),
      simulator.element),
    el("h2", {}, "Coverage"),
    el("p", { className: "muted" }, el("mark", { className: "full" }, "true and false"), " ",
      el("mark", { className: "partial" }, "only one of them"), " ", el("mark", { className: "never" }, "never evaluated")),
    coverage);
  await load();
}

class Simulator {
  constructor(service, database, state, text) {
    Object.assign(this, { service, database, text });
    this.operation = el("select");
    this.path = el("input", { value: "/", spellcheck: false });
    this.bucket = el("select", {}, options(state.buckets));
    this.user = el("input", { placeholder: "empty: not signed in", spellcheck: false });
    this.claims = el("input", { placeholder: '{"admin": true}', spellcheck: false });
    this.value = el("textarea", { rows: 5, spellcheck: false });
    this.valueField = field("Data", this.value);
    this.bucketField = field("Bucket", this.bucket);
    this.result = el("div", { role: "status" });
    this.operation.addEventListener("change", () => this.update());
    this.element = el("form", { onsubmit: (event) => { event.preventDefault(); attempt(() => this.run()); } },
      el("h2", {}, "Simulator"),
      el("div", { className: "bar" }, field("Operation", this.operation), this.bucketField, field("Path", this.path)),
      el("div", { className: "bar" }, field("User ID", this.user), field("Claims", this.claims)),
      this.valueField,
      el("div", { className: "bar" }, el("button", { className: "primary" }, "Simulate")),
      this.result);
  }

  update() {
    const names = OPERATIONS[this.service.value];
    if (![...this.operation.options].every((option, index) => option.value === names[index]) || !this.operation.options.length) {
      this.operation.replaceChildren(...options(names));
      this.result.replaceChildren();
    }
    const isDatabase = this.service.value === "database";
    this.bucketField.hidden = isDatabase;
    this.valueField.hidden = ["read", "delete", "get", "list"].includes(this.operation.value);
    this.value.placeholder = isDatabase ? '{"name": "Ada"}' : '{"size": 1000, "contentType": "image/png"}';
  }

  async run() {
    this.result.replaceChildren();
    const payload = {
      service: this.service.value,
      database: this.database.value,
      bucket: this.bucket.value,
      rules: this.text.value,
      operation: this.operation.value,
      path: this.service.value === "database" ? this.path.value : this.path.value.replace(/^\/+/, ""),
      user: this.user.value ? { uid: this.user.value, claims: parseJson(this.claims.value || "{}") } : null,
      value: this.valueField.hidden ? null : parseJson(this.value.value || "null"),
    };
    if (!payload.rules.trim()) throw new Error("There are no rules, so everything is allowed. Write rules to simulate.");
    this.result.replaceChildren(decisionView(await act("simulate", payload)));
  }
}

// The source of the rules, with a mark for each condition. Conditions may be nested, and are sorted by their start.
function coverageView({ name, text, conditions }) {
  const view = el("pre", { tabindex: "0" });
  const openElements = [{ element: view, end: text.length }];
  let position = 0;
  const appendText = (end) => {
    openElements.at(-1).element.append(text.slice(position, end));
    position = end;
  };
  const closeElement = () => {
    appendText(openElements.at(-1).end);
    openElements.pop();
  };
  for (const condition of conditions) {
    while (openElements.at(-1).end <= condition.start) closeElement();
    appendText(condition.start);
    const title = `true ${condition.true}, false ${condition.false}, errors ${condition.errors}`;
    const mark = el("mark", { className: coverageClass(condition), title });
    openElements.at(-1).element.append(mark);
    openElements.push({ element: mark, end: condition.end });
  }
  while (openElements.length) closeElement();
  return el("div", {}, el("h3", {}, name), view);
}

function coverageClass(condition) {
  if (!condition.missing) return "full";
  return condition.missing === "never evaluated" ? "never" : "partial";
}
