// Who is connected.

function doing(one) {
  if (one.ending) return "ending";
  const ways = [one["from-peer"], one["to-peer"]].filter(lane => lane.operation);
  return ways.map(lane => `${lane.operation}${lane["open-requests"] > 1 ? ` (${lane["open-requests"]} open)` : ""}`).join(", ") || "idle";
}

function waiting(one) {
  const quiet = Math.min(one["from-peer"]["quiet-ms"], one["to-peer"]["quiet-ms"]);
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
  { head: "From", fill: words(one => host(one.address), one => one.certificate) },
  { head: "To", fill: words(one => one.upstream, one => one["upstream-address"]) },
  { head: "Now", kind: "wide", fill: words(doing, waiting) },
  { head: "Open", kind: "num", fill: words(one => about(one["open-ms"])) },
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
