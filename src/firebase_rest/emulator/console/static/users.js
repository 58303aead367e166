// The section "Users": the users of the project, with actions to add, disable, verify and delete them, and set claims.

import { admin } from "./api.js";
import { ask, attempt, button, confirmed, el, parseJson } from "./dom.js";
import { every } from "./timers.js";

const PAGE_SIZE = 25;

export async function showUsers(section, state, signal) {
  const base = `/identitytoolkit.googleapis.com/v1/projects/${encodeURIComponent(state.project)}/accounts`;
  const body = el("tbody");
  const search = el("input", { type: "search", "aria-label": "E-mail address or UID", placeholder: "E-mail address or UID" });
  const pages = [""];
  let next = "";
  const previousButton = button("Previous", () => { pages.pop(); attempt(load); });
  const nextButton = button("Next", () => { pages.push(next); attempt(load); });

  async function searchUsers(text) {
    const [byEmail, byId] = await Promise.all([
      admin("POST", `${base}:lookup`, { email: [text] }), admin("POST", `${base}:lookup`, { localId: [text] })]);
    return { users: [...(byEmail.users ?? []), ...(byId.users ?? [])] };
  }

  async function load() {
    const query = new URLSearchParams({ maxResults: PAGE_SIZE, nextPageToken: pages.at(-1) });
    const text = search.value.trim();
    const page = text ? await searchUsers(text) : await admin("GET", `${base}:batchGet?${query}`);
    next = page.nextPageToken ?? "";
    const users = page.users ?? [];
    previousButton.disabled = pages.length < 2;
    nextButton.disabled = !next || users.length < PAGE_SIZE;
    const content = JSON.stringify(users);
    if (content === body.dataset.content) return;
    body.dataset.content = content;
    const emptyRow = el("tr", {}, el("td", { colSpan: 4, className: "muted" }, "No users."));
    body.replaceChildren(...(users.length ? users.map(row) : [emptyRow]));
  }

  const change = (user, changes) => attempt(async () => {
    await admin("POST", `${base}:update`, { localId: user.localId, ...changes });
    await load();
  });

  function row(user) {
    const name = user.email ?? user.phoneNumber ?? user.displayName ?? "anonymous";
    const status = [user.disabled ? "disabled" : "", user.emailVerified ? "verified" : "",
      user.mfaInfo?.length ? "second factor" : ""].filter(Boolean).join(", ");
    return el("tr", {},
      el("td", {}, el("strong", {}, name), el("br"), el("span", { className: "muted" }, user.localId)),
      el("td", {}, (user.providerUserInfo ?? []).map((info) => info.providerId).join(", ") || "none"),
      el("td", {}, status, user.customAttributes && user.customAttributes !== "{}" ? el("pre", {}, user.customAttributes) : null),
      el("td", {},
        button(user.disabled ? "Enable" : "Disable", () => change(user, { disableUser: !user.disabled }), "", `${user.disabled ? "Enable" : "Disable"} ${name}`), " ",
        user.email && !user.emailVerified ? [button("Verify", () => change(user, { emailVerified: true }), "", `Verify the address of ${name}`), " "] : null,
        button("Claims", () => editClaims(user, name), "", `Claims of ${name}`), " ",
        button("Delete", () => remove(user, name), "danger", `Delete ${name}`)));
  }

  async function editClaims(user, name) {
    const text = el("textarea", { rows: 6, spellcheck: false, value: user.customAttributes ?? "{}" });
    await ask(`Claims of ${name}`, { claims: ['JSON, such as {"admin": true}', text] }, {
      check: ({ claims }) => admin("POST", `${base}:update`,
        { localId: user.localId, customAttributes: JSON.stringify(parseJson(claims)) }),
    });
    await attempt(load);
  }

  async function remove(user, name) {
    if (!await confirmed(`Delete ${name}?`)) return;
    await attempt(() => admin("POST", `${base}:delete`, { localId: user.localId }));
    await attempt(load);
  }

  async function add() {
    await ask("Add a user", {
      email: ["E-mail address", el("input", { type: "email" })],
      password: ["Password", el("input", { type: "password", autocomplete: "new-password" })],
      displayName: ["Name", el("input")],
      phoneNumber: ["Phone number", el("input", { type: "tel", placeholder: "+1 555 555 0100" })],
    }, {
      confirm: "Add",
      check: (values) => admin("POST", base, Object.fromEntries(Object.entries(values).filter(([, value]) => value))),
    });
    await attempt(load);
  }

  search.addEventListener("input", () => attempt(load));
  section.append(el("h2", {}, "Users"),
    el("div", { className: "bar" }, button("Add a user", add, "primary"), search, previousButton, nextButton),
    el("div", { className: "scroll", tabindex: "0", role: "region", "aria-label": "Users" }, el("table", {},
      el("thead", {}, el("tr", {}, ["User", "Providers", "State", "Actions"].map((text) => el("th", { scope: "col" }, text)))), body)));
  await load();
  every(2000, signal, load);
}
