// Download and upload of a whole database.

import { ADMIN, admin, databaseUrl } from "./api.js";
import { attempt, button, confirmed, el, field, options, save, show } from "./dom.js";

export async function showData(section, state) {
  const database = el("select", {}, options(state.databases));
  const file = el("input", { type: "file", accept: ".json,application/json" });

  async function download() {
    const response = await fetch(databaseUrl(database.value, [], { format: "export" }), { headers: ADMIN });
    if (!response.ok) throw new Error(`The emulator responded with ${response.status}.`);
    save(`${database.value}.json`, await response.blob());
  }

  async function upload() {
    if (!file.files.length) throw new Error("Choose a JSON file first.");
    if (!await confirmed(`Replace all data of ${database.value}?`)) return;
    const response = await fetch(databaseUrl(database.value, [], { print: "silent" }), {
      method: "PUT", headers: { ...ADMIN, "Content-Type": "application/json" }, body: file.files[0],
    });
    if (!response.ok) throw new Error((await response.json()).error);
    show("Imported.");
  }

  async function clear() {
    if (!await confirmed("Delete all data, users and files of the emulator?")) return;
    const project = encodeURIComponent(state.project);
    for (const name of state.databases) await admin("DELETE", databaseUrl(name, []));
    await admin("DELETE", `/emulator/v1/projects/${project}/accounts`);
    await admin("POST", "/internal/reset");
    show("Deleted.");
  }

  section.append(el("h2", {}, "Export and import"),
    el("div", { className: "bar" }, field("Database", database), button("Download JSON", () => attempt(download))),
    el("div", { className: "bar" }, field("JSON file", file), button("Import", () => attempt(upload))),
    el("h2", {}, "Reset"), button("Delete everything", () => attempt(clear), "danger"));
}
