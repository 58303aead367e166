// The section "Files": the files of a bucket, with upload, preview, download and delete.

import { ADMIN, admin } from "./api.js";
import { attempt, button, confirmed, el, field, options, show } from "./dom.js";

const PAGE_SIZE = 50;
const PREVIEW_BYTES = 100_000;

function formatSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${["", "kB", "MB", "GB", "TB"][power]}`;
}

export async function showFiles(section, state, signal) {
  const bucket = el("select", {}, options(state.buckets));
  const upload = el("input", { type: "file", multiple: true, id: "upload" });
  const trail = el("div", { className: "bar", role: "group", "aria-label": "Folder" });
  const body = el("tbody");
  const preview = el("div", { className: "preview" });
  const more = button("More", () => attempt(() => load(next)));
  let folder = "";
  let next = "";

  const base = () => `/v0/b/${encodeURIComponent(bucket.value)}/o`;
  const objectUrl = (name) => `${base()}/${encodeURIComponent(name)}`;
  const open = (name) => { folder = name; preview.replaceChildren(); return attempt(() => load()); };

  async function load(pageToken = "") {
    const query = new URLSearchParams({ prefix: folder, delimiter: "/", maxResults: PAGE_SIZE });
    if (pageToken) query.set("pageToken", pageToken);
    const page = await admin("GET", `${base()}?${query}`);
    if (signal.aborted) return;
    next = page.nextPageToken ?? "";
    more.hidden = !next;
    const parts = folder.split("/").filter(Boolean);
    trail.replaceChildren(button(bucket.value, () => open(""), "plain"),
      ...parts.map((part, index) => button(`${part}/`, () => open(`${parts.slice(0, index + 1).join("/")}/`), "plain")));
    const rows = [
      ...(page.prefixes ?? []).map((prefix) => el("tr", {},
        el("td", {}, button(prefix.slice(folder.length), () => open(prefix), "plain")), el("td"), el("td"))),
      ...await Promise.all((page.items ?? []).map(async ({ name }) => row(await admin("GET", objectUrl(name))))),
    ];
    if (!pageToken) body.replaceChildren();
    body.append(...rows);
    if (!body.children.length) body.append(el("tr", {}, el("td", { colSpan: 3, className: "muted" }, "No files.")));
  }

  function row(file) {
    const name = file.name.slice(folder.length);
    const link = `${objectUrl(file.name)}?alt=media&token=${(file.downloadTokens ?? "").split(",")[0]}`;
    return el("tr", {},
      el("td", {}, button(name, () => attempt(() => showPreview(file, link)), "plain"), el("br"),
        el("span", { className: "muted" }, file.contentType)),
      el("td", { className: "number" }, formatSize(Number(file.size))),
      el("td", {}, el("a", { href: link, download: name.split("/").at(-1) }, "Download"), " ",
        button("Delete", () => remove(file), "danger", `Delete ${name}`)));
  }

  async function showPreview(file, link) {
    const content = [];
    if (file.contentType?.startsWith("image/")) {
      content.push(el("img", { src: link, alt: `Preview of ${file.name}` }));
    } else if (/^text\/|json|xml|javascript/.test(file.contentType ?? "")) {
      const headers = { ...ADMIN, Range: `bytes=0-${PREVIEW_BYTES - 1}` };
      const response = await fetch(link, { headers });
      content.push(el("pre", { tabindex: "0" }, await response.text()));
    } else {
      content.push(el("p", { className: "muted" }, "There is no preview for this type of file."));
    }
    preview.replaceChildren(el("h2", {}, file.name), ...content, el("pre", { tabindex: "0" }, JSON.stringify(file, null, 2)));
  }

  async function remove(file) {
    if (!await confirmed(`Delete ${file.name}?`)) return;
    await attempt(() => admin("DELETE", objectUrl(file.name)));
    preview.replaceChildren();
    await attempt(() => load());
  }

  function uploadFile(file) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const bar = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
      const line = el("p", {}, file.name, " ", bar);
      drop.append(line);
      request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / (event.total || 1); });
      request.addEventListener("loadend", () => {
        line.remove();
        if (request.status === 200) resolve();
        else reject(new Error(`${file.name} was not uploaded: the emulator responded with ${request.status}.`));
      });
      request.open("POST", `${base()}?${new URLSearchParams({ name: folder + file.name })}`);
      for (const [name, value] of Object.entries(ADMIN)) request.setRequestHeader(name, value);
      request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
      request.send(file);
    });
  }

  async function uploadAll(files) {
    for (const file of files) await attempt(() => uploadFile(file));
    upload.value = "";
    show(`${files.length === 1 ? files[0].name : `${files.length} files`} uploaded.`);
    await attempt(() => load());
  }

  const drop = el("div", { className: "drop" }, field("Upload files, or drop them here", upload));
  upload.addEventListener("change", () => uploadAll([...upload.files]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    uploadAll([...event.dataTransfer.files]);
  });
  bucket.addEventListener("change", () => open(""));
  section.append(el("h2", {}, "Files"), el("div", { className: "bar" }, field("Bucket", bucket)), drop, trail,
    el("table", {}, el("thead", {}, el("tr", {}, ["Name", "Size", "Actions"].map((text) => el("th", { scope: "col" }, text)))), body),
    more, preview);
  await load();
}
