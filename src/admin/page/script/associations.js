// Who is connected. What has changed is asked for, and kept with what has not.

/** When the page got what it shows of an association. */
const GOT = Symbol("got");
const since = one => (one[GOT] ? Date.now() - one[GOT] : 0);
const openFor = one => one["open-ms"] + since(one);
const quietFor = (one, way) => one[way]["quiet-ms"] + since(one);

const connected = new Map();
let asOf = null;

async function askAssociations() {
  const { "as-of": mark, changed, open } = await ask(`associations/changes${asOf ? `?since=${asOf}` : ""}`);
  const at = Date.now();
  changed.forEach(one => connected.set(one.id, Object.assign(one, { [GOT]: at })));
  if (open) {
    const still = new Set(open);
    [...connected.keys()].filter(id => !still.has(id)).forEach(id => connected.delete(id));
  }
  asOf = mark;
  return [...connected.values()];
}

function doing(one) {
  if (one.ending) return "ending";
  const ways = [one["from-peer"], one["to-peer"]].filter(lane => lane.operation);
  return ways.map(lane => `${lane.operation}${lane["open-requests"] > 1 ? ` (${lane["open-requests"]} open)` : ""}`).join(", ") || "idle";
}

function waiting(one) {
  const quiet = Math.min(quietFor(one, "from-peer"), quietFor(one, "to-peer"));
  const whom = one["waits-for"] === "dimsegate" ? "dimsegate" : `the ${one["waits-for"]}`;
  return `waits for ${whom}${one["waits-for-what"] ? ` (${one["waits-for-what"]})` : ""}${quiet >= 10000 ? `, for ${about(quiet)}` : ""}`;
}

const showConnected = table(by("connected"), "Associations", [
  { head: "Who", fill: (node, item) => {
    const open = button("", () => story(item()), { class: "linklike" });
    const titles = make("small");
    node.append(open, titles);
    return one => {
      say(open, one.peer);
      say(titles, `${title(one["calling-ae-title"])} to ${title(one["called-ae-title"])}`);
    };
  } },
  { head: "From", fill: words(one => host(one.address), one => one.user ?? one.certificate) },
  { head: "To", kind: "whole", fill: words(one => one.upstream, one => one["upstream-address"]) },
  { head: "Now", kind: "wide", fill: words(doing, waiting) },
  { head: "Open", kind: "num", fill: words(one => about(openFor(one))) },
  { head: "From peer", kind: "num", fill: words(one => amount(one.bytes["from-requestor"]), one => rateOf(one, 0)) },
  { head: "To peer", kind: "num", fill: words(one => amount(one.bytes["to-requestor"]), one => rateOf(one, 1)) },
  { head: "Actions", kind: "do", fill: (node, item) => {
    const end = button("Abort …", () => abort(item()), { class: "act danger if-operator" });
    node.append(end);
    return one => name(end, "aria-label", `Abort the association of ${one.peer}`);
  } },
], one => one.id, "Nobody is connected.");

const rates = new Map();
const rateOf = (one, way) => (rates.get(one.id)?.[way] ? rate(rates.get(one.id)[way]) : "");

function showAssociations(list) {
  measure(list);
  now.associations = list;
  list.forEach(one => whose.has(one.id) || whose.set(one.id, one.peer));
  showConnected(list);
  showRoutes();
  showTiles();
}
