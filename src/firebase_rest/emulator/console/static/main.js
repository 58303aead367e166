// The sections of the page, one for each hash of its URL.

import { read } from "./api.js";
import { attempt, el } from "./dom.js";
import { showDatabase } from "./database.js";
import { showUsers } from "./users.js";
import { showFiles } from "./files.js";
import { showRules } from "./rules.js";
import { showMails } from "./mails.js";
import { showRequests } from "./requests.js";
import { showData } from "./data.js";
import { every } from "./timers.js";

const SECTIONS = {
  database: showDatabase,
  users: showUsers,
  files: showFiles,
  rules: showRules,
  mails: showMails,
  requests: showRequests,
  data: showData,
};

let controller = null;

// Opens the section of the hash. The signal of `controller` ends the timers and streams of the previous section.
async function open() {
  const hash = location.hash.slice(1).split("/")[0];
  const name = Object.hasOwn(SECTIONS, hash) ? hash : "database";
  controller?.abort();
  controller = new AbortController();
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const { signal } = controller;
  const state = await attempt(() => read("state"));
  if (signal.aborted) return;
  every(2000, signal, () => attempt(() => read("state")));  // shows that the emulator has stopped or restarted
  if (state === undefined) return;
  document.getElementById("project").textContent = state.project;
  document.title = `${document.querySelector("nav [aria-current]").textContent} - Firebase emulator`;
  const section = el("section");
  document.getElementById("content").replaceChildren(section);
  await attempt(() => SECTIONS[name](section, state, signal));
}

addEventListener("hashchange", open);
open();
