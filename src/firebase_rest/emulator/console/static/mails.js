// The section "Mails": e-mails and text messages that Firebase would have sent.

import { admin } from "./api.js";
import { el } from "./dom.js";
import { every } from "./timers.js";

const KINDS = {
  VERIFY_EMAIL: "Verify the address",
  PASSWORD_RESET: "Reset the password",
  EMAIL_SIGNIN: "Sign in",
  VERIFY_AND_CHANGE_EMAIL: "Change the address",
  RECOVER_EMAIL: "Recover the address",
};

export async function showMails(section, state, signal) {
  const base = `/emulator/v1/projects/${encodeURIComponent(state.project)}`;
  const mails = el("tbody");
  const messages = el("tbody");

  async function load() {
    const [{ oobCodes = [] }, { verificationCodes = [] }] = await Promise.all([
      admin("GET", `${base}/oobCodes`), admin("GET", `${base}/verificationCodes`)]);
    const content = JSON.stringify([oobCodes, verificationCodes]);
    if (content === mails.dataset.content) return;
    mails.dataset.content = content;
    mails.replaceChildren(...rows(oobCodes.toReversed(), mailRow, "No mails."));
    messages.replaceChildren(...rows(verificationCodes.toReversed(), messageRow, "No text messages."));
  }

  section.append(el("h2", {}, "Mails"), table(["To", "Subject", "Link"], mails),
    el("h2", {}, "Text messages"), table(["To", "Code"], messages));
  await load();
  every(1000, signal, load);
}

function table(names, body) {
  return el("table", {}, el("thead", {}, el("tr", {}, names.map((text) => el("th", { scope: "col" }, text)))), body);
}

function rows(entries, row, emptyText) {
  return entries.length ? entries.map(row) : [el("tr", {}, el("td", { colSpan: 3, className: "muted" }, emptyText))];
}

function mailRow({ email, newEmail, requestType, oobLink, oobCode }) {
  const link = /^https?:/.test(oobLink ?? "") ? el("a", { href: oobLink, target: "_blank", rel: "noopener" }, "Open") : null;
  return el("tr", {}, el("td", {}, newEmail ?? email), el("td", {}, KINDS[requestType] ?? requestType),
    el("td", {}, link, el("br"), el("span", { className: "muted" }, oobCode)));
}

function messageRow({ phoneNumber, code }) {
  return el("tr", {}, el("td", {}, phoneNumber), el("td", {}, el("strong", {}, code)));
}
