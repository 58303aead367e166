// Requests to the API of the console, with its token, and to the APIs of the services, as an administrator.

export const token = document.querySelector('meta[name="console-token"]').content;

async function checked(response) {
  const text = await response.text();
  let payload = null;
  try {
    payload = text ? JSON.parse(text) : null;
  } catch {
    payload = { error: text };
  }
  if (response.ok) return payload;
  const error = payload?.error;
  throw new Error(error?.message ?? error ?? `The emulator responded with ${response.status}.`);
}

async function send(url, options) {
  try {
    return await fetch(url, options);
  } catch {
    throw new Error("The emulator does not respond. Check that it is running.");
  }
}

export async function read(name, params = {}) {
  const query = new URLSearchParams(params);
  return checked(await send(`/.console/api/${name}?${query}`, { headers: { "X-Console-Token": token } }));
}

export async function act(name, payload) {
  const headers = { "X-Console-Token": token, "Content-Type": "application/json" };
  return checked(await send(`/.console/api/${name}`, { method: "POST", headers, body: JSON.stringify(payload) }));
}

// The emulator does not log requests with the token.
export const ADMIN = { Authorization: "Bearer owner", "X-Console-Token": token };

export async function admin(method, url, payload) {
  const headers = { ...ADMIN };
  const isText = typeof payload === "string";
  if (payload !== undefined) headers["Content-Type"] = "application/json";
  const body = payload === undefined ? undefined : isText ? payload : JSON.stringify(payload);
  return checked(await send(url, { method, headers, body }));
}

async function valueOf(response) {
  return { text: await response.text(), etag: response.headers.get("ETag") };
}

// Values of the database are read and written as text, because JavaScript rounds integers above 2^53.
export async function readValue(url) {
  const response = await send(url, { headers: { ...ADMIN, "X-Firebase-ETag": "true" } });
  return response.ok ? valueOf(response) : checked(response);
}

// Replace a value that still has this ETag. Otherwise return the value that another client has written.
export async function replaceValue(url, text, etag) {
  const headers = { ...ADMIN, "Content-Type": "application/json", "If-Match": etag };
  const response = await send(url, { method: "PUT", headers, body: text });
  if (response.status === 412) return valueOf(response);
  await checked(response);
  return null;
}

export async function download(url, headers) {
  const response = await send(url, { headers });
  return response.ok ? response.blob() : checked(response);
}

export function databaseUrl(database, path, params = {}) {
  const query = new URLSearchParams({ ns: database, ...params });
  return `/${path.map(encodeURIComponent).join("/")}.json?${query}`;
}

export function changesUrl(database) {
  return `/.console/api/changes?${new URLSearchParams({ database, token })}`;
}
