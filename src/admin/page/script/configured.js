// What the configuration names: upstreams, certificates, limits, peers, keys.

/** How an upstream is: a word, what it means for the eye, and what a person wants to know of it. */
function stateOf(one) {
  const kind = { up: "good", probing: "warn", down: "bad" }[one.availability];
  const silent = one.asked.filter(address => address.availability !== "up");
  const why = silent.map(address => `${address.called} ${address.availability} since ${moment(address.since)}: ${address["last-failure"] ?? ""}`);
  return kind ? { word: silent.length && kind === "good" ? `up, ${silent.length} of ${one.asked.length} down` : one.availability,
    kind: silent.length && kind === "good" ? "warn" : kind, why: [...why, ...one.unknown].join("; ") } : null;
}

const showUpstreams = table(by("archives"), "Upstreams", [
  { head: "Name", fill: words(one => one.name, one => one.line ? `line ${one.line}` : "") },
  { head: "Addresses", kind: "wide", fill: words(one => one.addresses.join(", "), one => (one.tls ? "TLS" : "without TLS")) },
  { head: "State", kind: "wide", fill: (node, item) => {
    const state = make("span", { class: "label" });
    const why = make("small", {});
    const echoed = make("small", { role: "status" });
    const ask = button("C-ECHO", () => echo(item(), echoed), { class: "act if-operator" });
    node.append(state, ask, why, echoed);
    return one => {
      const now = stateOf(one);
      state.hidden = !now;
      name(node, "class", now ? "wide" : "wide silent");
      say(state, now?.word ?? "");
      say(why, now?.why ?? "");
      name(state, "class", `label ${now?.kind ?? ""}`);
      name(ask, "aria-label", `Ask ${one.name} for a C-ECHO`);
    };
  } },
  { head: "Open", kind: "num", fill: words(one => one["open-associations"]) },
], one => one.name, "The configuration has no upstream.");

async function echo(one, node) {
  say(node, "asking …");
  try {
    const told = await ask(`upstreams/${encodeURIComponent(one.name)}/echo`, "POST");
    say(node, `${told.success ? "answered" : `answered with ${told.status}`} after ${told["echoed-ms"]} ms`);
  } catch (error) {
    say(node, sentence(error));
  }
}

const LEFT = { good: "", "ends-soon": "warn", ended: "bad" };
const left = one => (one.days < 0 || one.state === "ended" ? "ended" : one.days === 0 ? "today" : plural(one.days, "day"));

const showCertificates = table(by("ends"), "Certificates and revocation lists", [
  { head: "What", fill: words(one => one.what, one => one.place) },
  { head: "Left", fill: node => {
    const label = make("span");
    node.append(label);
    return one => {
      say(label, left(one));
      name(label, "class", `label ${LEFT[one.state] ?? ""}`);
    };
  } },
  { head: "Ends", fill: words(one => one.ends.slice(0, 10)) },
  { head: "File", kind: "wide", fill: words(one => one.file) },
], one => `${one.place}\n${one.file}\n${one.what}\n${one.ends}`, "The configuration uses no certificates.");

const USED = { associations: "Associations", "request-memory": "Memory for requests", "decoding-memory": "Memory for decoding", "held-data-sets": "Memory for data sets that wait", descriptors: "File descriptors" };

function showLimits(limits) {
  const all = Object.entries(USED).map(([key, text]) => ({ text, bytes: key.endsWith("memory") || key === "held-data-sets", ...limits[key] }));
  const peers = (limits.peers ?? []).map(one => ({ text: `Associations of ${one.peer}`, ...one }));
  peers.sort((one, other) => other["in-use"] / other.allowed - one["in-use"] / one.allowed);
  keyed(by("used"), [...all, ...peers.slice(0, 20)], one => one.text, ({ text }) => {
    const bar = make("div");
    const figure = make("span", { class: "figure" });
    const update = one => {
      const used = one["in-use"];
      const share = one.allowed ? Math.min(1, used / one.allowed) : 0;
      bar.style.width = `${(share * 100).toFixed(1)}%`;
      name(bar, "class", `bar ${share >= 0.95 ? "bad" : share >= 0.8 ? "warn" : ""}`);
      const shown = one.bytes ? amount : count => count.toLocaleString("en");
      say(figure, `${shown(used)} of ${one.allowed ? shown(one.allowed) : "all there is"}`);
    };
    return { node: make("div", { class: "meter" }, make("span", {}, text), make("div", { class: "track", "aria-hidden": "true" }, bar), figure), update };
  });
}

const showPeers = table(by("known"), "Peers", [
  { head: "Name", fill: words(one => one.name, one => one.line ? `line ${one.line}` : "") },
  { head: "Calling AE titles", kind: "wide", fill: words(one => one["calling-ae-titles"].join(", ")) },
  { head: "Networks", fill: words(one => one.networks.join(", "), one => (one["bound-to-certificates"] ? "bound to certificates" : "any certificate, or none")) },
  { head: "Role", fill: words(one => one.role, one => one.rewrite && `rewrite ${one.rewrite}`) },
  { head: "Upstream", fill: words(one => one.upstream ?? "that of the listener") },
  { head: "Open", kind: "num", fill: words(one => one["open-associations"], one => (one["max-associations"] ? `of ${one["max-associations"]}` : "")) },
], one => one.name, "The configuration knows no peer: everybody is refused.");

const showKeys = table(by("settings"), "Keys of the configuration", [
  { head: "Key", kind: "mono key", fill: words(([key]) => key) },
  { head: "Value", kind: "mono value", fill: words(([, value]) => value) },
], ([key]) => key, "It has no keys.");

let recordsFolder = null;

function showConfiguration(configuration) {
  say(by("in-force"), `${configuration.file}, digest ${configuration.digest}`);
  const keys = Object.entries(configuration.keys);
  showKeys(keys);
  let folder = null;
  try {
    folder = JSON.parse(configuration.keys["audit.directory"]);
  } catch { /* Then it is not known, and no command is shown. */ }
  if (by("report").firstChild && folder === recordsFolder) return;
  recordsFolder = folder;
  const report = (days, text) => make("a", { href: `api/v1/report?from=${days}d`, target: "_blank", rel: "noopener" }, text);
  const reports = make("p", {}, "The report on the records, a page to read and to print, of ", report(1, "the last day"), ", ", report(7, "the last 7 days"), " or ", report(30, "the last 30 days"), ".");
  by("report").replaceChildren(reports, ...(folder ? [make("p", { class: "command" }, make("span", {}, "Of longer, and with what only reviewers can open:"),
    copied(`dimsegate audit report ${quoted(folder)} -o report.html`))] : []));
}
