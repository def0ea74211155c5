// Records as they are written.

const BAD = /^(association-rejected|connection-refused|connection-failed|security-alert|configuration-refused)$/;
let source = null;
let recent = [];
let numbered = 0;
let drawing = null;

function listen() {
  source?.close();
  source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => say(by("listening"), "The newest first. Reads of this interface, such as those of this page, are left out."));
  const tried = source;
  source.addEventListener("error", () => {
    say(by("listening"), "No records come; trying again.");
    // After a refusal, as of one who looks on often enough elsewhere, a browser does not try again by itself.
    if (tried.readyState === EventSource.CLOSED) setTimeout(() => tried === source && session.role && listen(), 15000);
  });
  source.addEventListener("record", event => {
    const record = JSON.parse(event.data);
    if (record.event !== "administration" || record.action !== "read") remember(record);
  });
  source.addEventListener("lost", event => remember({ event: "lost", time: new Date().toISOString(), explanation: `${event.data} records came faster than this page reads` }));
}

function remember(record) {
  if (record.event === "association-closed" && record.upstream && over.length < 10 * MOST_ROWS) {
    const way = { peer: record.peer, upstream: record.upstream.name };
    over.push({ id: record.association, route: route(way), bytes: [record.bytes.in, record.bytes.out], lasted: record["duration-ms"] });
  }
  if (record.event === "association-opened") whose.set(record.association, record.peer);
  if (whose.size > 5 * MOST_ROWS) whose.delete(whose.keys().next().value);
  numbered += 1;
  recent.unshift([numbered, record]);
  recent.length = Math.min(recent.length, MOST_ROWS);
  // However many come, the page is drawn a few times a second, and not at all while nobody sees it.
  if (!document.hidden) drawing ??= setTimeout(showRecords, 300);
}

function showRecords() {
  drawing = null;
  keyed(by("records"), recent, ([number]) => number, ([, record]) => ({ node: line(record) }));
}

/** Who is behind the id of an association, as far as this page has seen it. */
const whose = new Map();

function line(record) {
  const counts = Object.values(record.operations ?? {}).filter(counts => typeof counts === "object");
  const failed = counts.some(counts => counts.failure || counts.refused);
  const kind = BAD.test(record.event) ? "bad" : record.outcome === "refused" || record.outcome === "failure" || failed ? "warn" : "";
  const who = record.peer ?? record["calling-ae-title"] ?? whose.get(record.association) ?? record.user ?? record.address ?? "";
  const what = [
    record.operation, record.action, record.resource, record.status,
    record.outcome && (typeof record.outcome === "string" ? record.outcome : null),
    record.ended, record.reason, record.explanation,
    record.count > 1 ? `${record.count} times` : null,
  ].filter(part => typeof part === "string" && part).join(" · ");
  return make("li", { class: kind }, time(record.time), make("span", {}, record.event), make("span", {}, make("b", {}, String(who)), who && what ? "  " : "", what));
}
