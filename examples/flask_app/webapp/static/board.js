// Keeps the newest page of the board live: by server-sent events, or by polling if the server has no stream left.

const POLL = 5_000;
const RETRY = 30_000;
const list = document.querySelector("#notes");
const template = document.querySelector("#note");
const state = document.querySelector("#state");
const form = document.querySelector("#new-note");
const problem = document.querySelector("#note-error");

function show(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

function element(note) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.key = note.key;
  item.querySelector(".text").textContent = note.text; // never innerHTML: other users wrote it
  item.querySelector(".name").textContent = note.name;
  item.querySelector("time").textContent = new Date(note.at).toISOString().slice(0, 16).replace("T", " ");
  const remove = item.querySelector("form");
  if (note.uid === list.dataset.uid) remove.action = remove.dataset.action.replace("KEY", note.key);
  else remove.remove();
  return item;
}

// Adds and removes single notes: the others keep the focus, and a screen reader announces only the new ones.
function render(notes) {
  const known = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const current = new Set(notes.map((note) => note.key));
  for (const [key, item] of known) if (!current.has(key)) item.remove();
  notes.forEach((note, position) => {
    if (!known.has(note.key)) list.insertBefore(element(note), list.children[position] ?? null);
  });
}

function listen() {
  const events = new EventSource(list.dataset.events);
  events.addEventListener("message", (event) => {
    show("live", "Live");
    render(JSON.parse(event.data));
  });
  events.addEventListener("error", () => {
    show("waiting", "Reconnecting …");
    // After a lost connection the browser reconnects. After a refusal (503) it does not.
    if (events.readyState === EventSource.CLOSED) poll(Date.now() + RETRY);
  });
}

async function poll(end) {
  try {
    const response = await fetch(list.dataset.poll, { headers: { Accept: "application/json" } });
    if (response.status === 401) return location.reload(); // signed out
    if (response.ok) {
      render(await response.json());
      show("polling", "Updated every few seconds");
    }
  } catch {
    show("waiting", "No connection");
  }
  setTimeout(() => (Date.now() < end ? poll(end) : listen()), POLL);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  const response = await fetch(form.action, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "application/json" },
  });
  if (response.ok) form.reset();
  else {
    problem.textContent = (await response.json()).error;
    problem.hidden = false;
  }
});

listen();
