// What the page asks the interface, all below /api/v1.

const PATIENCE = 8000;

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function ask(path, method = "GET", content) {
  const request = { method, cache: "no-store", signal: AbortSignal.timeout(method === "GET" ? PATIENCE : 60000) };
  if (content !== undefined) {
    request.headers = { "content-type": "application/json" };
    request.body = JSON.stringify(content);
  }
  const answer = await fetch(`/api/v1/${path}`, request);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, body.detail ?? `the proxy answered with ${answer.status}`);
  return body;
}

const sentence = error => (error instanceof Refused ? error.message : "The proxy does not answer.");
