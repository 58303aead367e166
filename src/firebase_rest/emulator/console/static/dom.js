// Functions that create elements, messages and dialogs. Strings become text nodes, so that data is never parsed as HTML.

export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function button(text, onclick, className = "", label = undefined) {
  return el("button", { type: "button", className, onclick, "aria-label": label, title: label }, text);
}

export function field(text, input) {
  return el("label", {}, text, input);
}

export function options(values) {
  return values.map((value) => el("option", { value }, value));
}

let hideTimer = 0;

export function show(message) {
  const status = document.getElementById("status");
  if (status.textContent !== message) status.textContent = message;  // the same text is not announced again
  clearTimeout(hideTimer);
  hideTimer = setTimeout(() => { status.textContent = ""; }, 6000);
}

// Calls `action`. Shows the message of an error.
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    show(error.message);
    return undefined;
  }
}

// Shows a dialog with a form. Returns its values by name, or null if the dialog is cancelled. If `check` throws an error,
// the dialog shows it and stays open.
export function ask(title, fields, { confirm = "Save", danger = false, check = () => {} } = {}) {
  return new Promise((resolve) => {
    const problem = el("p", { className: "bad", role: "alert" });
    const inputs = Object.entries(fields).map(([name, [text, input]]) => {
      input.name = name;
      return input.type === "checkbox" ? el("label", { className: "check" }, input, text) : field(text, input);
    });
    const heading = el("h2", { id: "dialog-title" }, title);
    const form = el("form", { method: "dialog" }, heading, inputs, problem, el("div", { className: "bar" },
      button("Cancel", () => dialog.close()),
      el("button", { className: danger ? "danger" : "primary" }, confirm)));
    const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = {};
      for (const input of form.elements) {
        if (input.name) values[input.name] = input.type === "checkbox" ? input.checked : input.value;
      }
      try {
        await check(values);
        result = values;
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(result); });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function confirmed(question, confirm = "Delete") {
  return ask(question, {}, { confirm, danger: true });
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not valid JSON: ${error.message} Text must be in double quotes.`);
  }
}

export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
