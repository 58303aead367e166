// The section "Export and import": all data as an export of the Firebase Local Emulator Suite, or one database as JSON.

import { ADMIN, act, admin, databaseUrl, download } from "./api.js";
import { attempt, button, confirmed, el, field, options, save, show } from "./dom.js";

export async function showData(section, state) {
  const database = el("select", {}, options(state.databases));
  const json = el("input", { type: "file", accept: ".json,application/json" });
  const archive = el("input", { type: "file", accept: ".zip,application/zip" });
  const problems = el("ul", { className: "bad" });

  async function downloadJson() {
    const url = databaseUrl(database.value, [], { format: "export" });
    save(`${database.value}.json`, await download(url, ADMIN));
  }

  async function importJson() {
    const file = selectedFile(json, "JSON");
    if (!await confirmed(`Replace all data of ${database.value}?`, "Replace")) return;
    await admin("PUT", databaseUrl(database.value, [], { print: "silent" }), await file.text());
    show("Imported.");
  }

  async function downloadAll() {
    save(`${state.project}.zip`, await download("/.console/api/export", ADMIN));
  }

  async function importAll() {
    const file = selectedFile(archive, "zip");
    if (!await confirmed("Replace all data, users and files of the emulator?", "Replace")) return;
    const result = await act("import", { archive: await base64(file) });
    problems.replaceChildren(...result.problems.map((text) => el("li", {}, text)));
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

  section.append(
    el("h2", {}, "Everything"),
    el("p", { className: "muted" }, "An archive of the Firebase Local Emulator Suite's export folder: data, users and files."),
    el("div", { className: "bar" }, button("Download archive", () => attempt(downloadAll))),
    el("div", { className: "bar" }, field("Archive (zip)", archive), button("Import archive", () => attempt(importAll))),
    problems,
    el("h2", {}, "One database"),
    el("div", { className: "bar" }, field("Database", database), button("Download JSON", () => attempt(downloadJson))),
    el("div", { className: "bar" }, field("JSON file", json), button("Import JSON", () => attempt(importJson))),
    el("h2", {}, "Reset"), button("Delete everything", () => attempt(clear), "danger"));
}

function selectedFile(input, kind) {
  if (!input.files.length) throw new Error(`Choose a ${kind} file first.`);
  return input.files[0];
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.split(",", 2)[1]));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
