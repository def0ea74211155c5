// What the page asks the interface, all below /api/v1.

const PATIENCE = 8000;

class Refused extends Error {
  /** `after`: seconds until it may be tried again, where that is said. */
  constructor(status, detail, after) {
    super(detail);
    this.status = status;
    this.after = after;
  }
}

/** Somebody has done something here since the page asked last. Where nobody has, its looks do not prolong a session. */
let touched = true;
for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => { touched = true; }, { capture: true, passive: true });

function headersOf(method, content) {
  const looksOn = method === "GET" && !touched;
  if (method === "GET") touched = false;
  return { ...(looksOn ? { "looks-on": "?1" } : {}), ...(content !== undefined ? { "content-type": "application/json" } : {}) };
}

async function send(path, method, content, headers = {}) {
  const signal = AbortSignal.timeout(method === "GET" ? PATIENCE : 60000);
  const body = content === undefined ? undefined : JSON.stringify(content);
  const answer = await fetch(`/api/v1/${path}`, { method, body, signal, cache: "no-store", headers: { ...headersOf(method, content), ...headers } });
  if (answer.status === 304) return { answer, body: null };
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, told.detail ?? `the proxy answered with ${answer.status}`, Number(answer.headers.get("retry-after")));
  return { answer, body: told };
}

const ask = async (path, method = "GET", content) => (await send(path, method, content)).body;

const tags = new Map();

/** What is there now, or null where it is as it was. */
async function news(path) {
  const { answer, body } = await send(path, "GET", undefined, tags.has(path) ? { "if-none-match": tags.get(path) } : {});
  tags.set(path, answer.headers.get("etag"));
  return body;
}

const wait = error => (error.after ? ` Too many attempts were wrong: wait ${long(error.after * 1000)}.` : "");
const sentence = error => (error instanceof Refused ? `${sentenceOf(error.message)}${wait(error)}` : "The proxy does not answer.");
