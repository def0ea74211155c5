// The page of a running dimsegate. All that is shown comes from /api/v1, and goes into the page as text alone.

const MOST_ROWS = 200;
const MOST_REFUSALS = 10;
const MOST_ROUTES = 12;
const SHOWN = 2000;
const HIDDEN = 30000;
const SELDOM = 30000;
const PATIENCE = 8000;
const DRAWN = 5 * 60 * 1000;
const SVG = "http://www.w3.org/2000/svg";
const ROLES = ["viewer", "operator", "administrator"];

// --- markup -----------------------------------------------------------------------------------------------------

const by = id => document.getElementById(id);

/** An element with attributes, `on` its handlers; strings among the children are text. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") Object.entries(value).forEach(([event, then]) => node.addEventListener(event, then));
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child != null && child !== ""));
  return node;
}

function draw(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  Object.entries(attributes).forEach(([name, value]) => node.setAttribute(name, value));
  return node;
}

/** Text that is there already is left alone, so that an idle page costs nothing, and nothing is read out again. */
function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function name(node, attribute, value) {
  if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);
}

/** The state, in the heading: a role of its own would take that of the heading away. */
function state(text, kind) {
  say(by("state"), text);
  name(by("state").parentElement, "class", kind);
}

const button = (text, then, attributes = {}) => make("button", { type: "button", on: { click: then }, ...attributes }, text);

const rows = new WeakMap();

/** Children by a key: `build` gives `{ node, update }`, and what did not change stays where it is. */
function keyed(parent, items, key, build) {
  if (!rows.has(parent)) rows.set(parent, new Map());
  const known = rows.get(parent);
  const wanted = new Set(items.map(key));
  for (const [id, row] of known) {
    if (wanted.has(id)) continue;
    row.node.remove();
    known.delete(id);
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    if (!known.has(id)) known.set(id, build(item));
    const row = known.get(id);
    row.update?.(item);
    if (row.node === at) at = at.nextElementSibling;
    else parent.insertBefore(row.node, at);
  }
}

/** A table whose rows are kept by their key, with a box to look for some of them where there are many. */
function table(parent, title, columns, key, nothing) {
  const body = make("tbody");
  const heads = columns.map(({ head, kind }) => make("th", { scope: "col", role: "columnheader", class: kind }, kind === "do" ? make("span", { class: "unseen" }, head) : head));
  const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
  body.setAttribute("role", "rowgroup");
  const box = make("input", { type: "search", "aria-label": `Filter: ${title}`, placeholder: "Filter", autocomplete: "off", spellcheck: "false" });
  const more = make("p", { class: "quiet" });
  const none = make("p", { class: "nobody" }, nothing);
  const scroll = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, make("table", { class: "keyed", role: "table", "aria-label": title }, head, body));
  const search = make("p", { class: "search" }, box);
  parent.replaceChildren(search, none, scroll, more);
  let all = [];
  none.hidden = scroll.hidden = search.hidden = true;
  const show = () => {
    const words = box.value.trim().toLowerCase();
    const fitting = words ? all.filter(item => JSON.stringify(item).toLowerCase().includes(words)) : all;
    const shown = fitting.slice(0, MOST_ROWS);
    keyed(body, shown, key, item => row(item, columns));
    none.hidden = fitting.length > 0;
    say(none, words && all.length ? `None of ${all.length} has “${box.value.trim()}”.` : nothing);
    scroll.hidden = fitting.length === 0;
    scroll.classList.toggle("many", shown.length > 40);
    search.hidden = all.length <= 12 && !words;
    const left = fitting.length - shown.length;
    more.hidden = left === 0;
    say(more, left ? `and ${left} more; the filter finds them` : "");
  };
  box.addEventListener("input", show);
  return items => { all = items; show(); };
}

function row(first, columns) {
  let item = first;
  const cells = columns.map(({ head, kind, fill }, at) => {
    const header = at === 0 ? { scope: "row", role: "rowheader" } : { role: "cell" };
    const node = make(at === 0 ? "th" : "td", { ...header, class: kind, "data-of": head });
    return { node, update: fill(node, () => item) };
  });
  const update = now => {
    item = now;
    cells.forEach(cell => cell.update(now));
  };
  return { node: make("tr", { role: "row" }, ...cells.map(cell => cell.node)), update };
}

/** A cell of text, with a smaller line under it. */
const words = (of, under) => node => {
  const [text, small] = [make("span"), make("small")];
  node.append(text, ...(under ? [small] : []));
  return item => {
    say(text, String(of(item) ?? ""));
    if (under) say(small, String(under(item) ?? ""));
  };
};

/** Terms and what they are; those without a value are left out. */
function terms(pairs) {
  const said = pairs.filter(([, value]) => value != null && value !== "");
  return make("dl", {}, ...said.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
}

const copied = text => make("code", { class: "copied", tabindex: "0" }, text);

// --- words ------------------------------------------------------------------------------------------------------

const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function long(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map(unit => Math.floor(seconds / unit));
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** So coarse that what is idle does not change with every look. */
function about(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return "a few seconds";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : long(milliseconds).replace(/^(\d+ h) 0 min$/, "$1");
}

function amount(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  for (; bytes >= 999.5 && at < units.length - 1; at += 1) bytes /= 1000;
  return `${at === 0 || bytes >= 99.5 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

const rate = bytes => `${amount(bytes)}/s`;
const clock = moment => new Date(moment).toLocaleTimeString("en-GB");

/** The day too, where it was not today. */
function moment(of) {
  const date = new Date(of);
  const day = date.toLocaleDateString("sv-SE");
  return day === new Date().toLocaleDateString("sv-SE") ? clock(of) : `${day} ${clock(of)}`;
}

const time = of => make("time", { datetime: of, title: of }, moment(of));
const title = text => `“${text}”`;
const route = one => `${one.peer} → ${one.upstream}`;
const host = address => address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

/** As a POSIX shell reads it back. */
const quoted = text => (/^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// --- asking -----------------------------------------------------------------------------------------------------

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

// --- who asks ---------------------------------------------------------------------------------------------------

/** `offered` is whether somebody can log in here. */
const session = { offered: false, user: null, role: null, by: null };

const may = role => ROLES.indexOf(session.role) >= ROLES.indexOf(role);

async function whoAsks() {
  const before = `${session.user} ${session.role}`;
  try {
    const { user, role, by: through, login } = await ask("session");
    Object.assign(session, { offered: login, user, role: role ?? null, by: through });
  } catch (error) {
    // Too many at once, or a proxy that cannot tell now, says nothing of who it is.
    if (!(error instanceof Refused) || ![401, 403].includes(error.status)) return;
    Object.assign(session, { offered: error.status === 401, user: null, role: null, by: null });
  }
  if (before === `${session.user} ${session.role}` && by("who").childElementCount) return;
  showWho();
  if (session.role && source?.readyState === EventSource.CLOSED) listen();
}

function showWho() {
  const { offered, user, role, by: through } = session;
  const who = role ? `${through === "loopback" ? "whoever is on this machine" : user} · ${role}` : "";
  by("who").replaceChildren(
    make("span", {}, who || (offered ? "not logged in" : "looking on")),
    may("administrator") ? button("Reload …", reload) : "",
    may("administrator") ? button("Drain …", drain, { class: "danger" }) : "",
    offered && through === "session" ? button("Log out", logOut) : "",
    offered && through !== "session" ? button("Log in …", logIn) : "",
  );
  document.body.classList.toggle("operator", may("operator"));
  document.body.classList.toggle("viewer", session.role === "viewer");
}

function logIn() {
  const field = (text, attributes) => make("label", {}, text, make("input", attributes));
  const fields = [
    field("Name", { required: true, name: "user", autocomplete: "username", spellcheck: "false", autocapitalize: "none" }),
    field("Passcode", { required: true, name: "passcode", type: "password", autocomplete: "current-password" }),
    field("Code of the app, six digits, if you have one", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", pattern: "[0-9 ]*" }),
  ];
  question("Log in", "", fields, "Log in", async values => {
    const code = values.code.replaceAll(" ", "");
    await ask("session", "POST", { user: values.user, passcode: values.passcode, ...(code ? { code } : {}) });
    await anew();
  });
}

async function logOut() {
  await ask("session", "DELETE").catch(() => {});
  await anew();
}

/** Somebody else may see something else. */
async function anew() {
  await whoAsks();
  listen();
  again();
}

// --- dialogs ----------------------------------------------------------------------------------------------------

const dialog = by("dialog");
let ended = null;

function open(content, whenClosed) {
  ended?.();
  ended = whenClosed ?? null;
  dialog.replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
}

dialog.addEventListener("close", () => {
  ended?.();
  ended = null;
  dialog.replaceChildren();
});

const heading = text => make("h2", { id: "question" }, text);

/** Says what is about to be done, asks what is needed for it, does it, and says what came of it. */
function question(what, means, fields, does, then, danger = false) {
  const failed = make("p", { class: "bad", role: "alert" });
  const doing = make("button", { type: "submit", class: danger ? "main danger" : "main" }, does);
  const form = make("form", {}, heading(what), means ? make("p", {}, means) : "", ...fields, failed,
    make("div", { class: "actions" }, button("Cancel", () => dialog.close()), doing));
  form.addEventListener("submit", async event => {
    event.preventDefault();
    doing.disabled = true;
    say(failed, "");
    try {
      const said = await then(Object.fromEntries(new FormData(form)));
      if (!form.isConnected) return;
      if (said) {
        const close = button("Close", () => dialog.close());
        dialog.replaceChildren(heading(what), make("p", { role: "status" }, said), make("div", { class: "actions" }, close));
        close.focus();
      } else dialog.close();
      again();
    } catch (error) {
      say(failed, sentence(error));
      doing.disabled = false;
    }
  });
  open([form]);
  form.querySelector("input, select")?.focus();
}

const reasonField = required => make("label", {}, "Reason, for the records", make("input", { required, name: "reason", maxlength: "160", autocomplete: "off" }));

function choices(label, field, options) {
  const list = options.map(([value, text]) => make("option", { value }, text));
  return make("label", {}, label, make("select", { name: field }, ...list));
}

function reload() {
  const means = "The configuration is read again, as SIGHUP does. If it has a problem, what is in force stays in force. Open associations go on under what they began with.";
  question("Reload the configuration?", means, [], "Reload", async () => {
    const { configuration } = await ask("reload", "POST");
    return `Configuration ${configuration} is in force.`;
  });
}

function drain() {
  const means = "The proxy takes no new associations, gives the open ones its grace period to end, and then stops, as SIGTERM does. This page has nobody to ask from then on; whoever started the proxy starts it again.";
  question("Drain and stop the proxy?", means, [], "Drain and stop", async () => {
    const told = await ask("drain", "POST");
    return `It stops. ${plural(told["open-associations"], "association")} may take ${long(told["grace-ms"])} to end.`;
  }, true);
}

function abort(one) {
  const when = choices("When", "when", [
    ["between-messages", "when no message is under way (between-messages)"],
    ["at-once", "at once, in the middle of a message too (at-once)"],
  ]);
  const means = `Both sides of ${title(one["calling-ae-title"])} (${one.peer}) to ${title(one["called-ae-title"])} get an A-ABORT. The requestor may come again.`;
  question("Abort this association?", means, [when, reasonField(false)], "Abort", async ({ when, reason }) => {
    const told = await ask(`associations/${encodeURIComponent(one.id)}/abort`, "POST", { when, reason });
    return `Ordered: it ends ${told.when === "at-once" ? "at once" : "between messages"}.`;
  }, true);
}

/** From a refusal or an association: by what it can be kept out. */
function block(one) {
  const calling = one["calling-ae-title"];
  const of = [
    ...(calling ? [[`ae-title:${calling}`, `calling AE title ${title(calling)}`]] : []),
    [`address:${host(one.address)}`, `address ${host(one.address)}`],
    ...(one.peer ? [[`peer:${one.peer}`, `peer ${one.peer}`]] : []),
  ];
  const times = choices("For", "for", [["1h", "an hour"], ["8h", "8 hours"], ["1d", "a day"], ["7d", "a week"], ["", "until it is unblocked"]]);
  const means = "New associations are refused at once; open ones end when no message is under way. A block outlives reload and restart.";
  question("Block", means, [choices("Whom", "of", of), times, reasonField(true)], "Block", async values => {
    await ask("blocks", "POST", { of: values.of, ...(values.for ? { for: values.for } : {}), reason: values.reason });
    await blocks();
    return `${values.of} is blocked.`;
  }, true);
}

// --- state ------------------------------------------------------------------------------------------------------

const HEALTH = { ok: "good", warning: "warn", critical: "bad" };
const now = { status: null, associations: null, upstreams: null, certificates: null };

function showStatus(status) {
  now.status = status;
  const { health, problems, configuration } = status;
  const wrong = problems.length ? `, ${plural(problems.length, "problem")}` : ", all is well";
  state(`${status.state === "draining" ? "Draining" : "Running"}${wrong}`, HEALTH[health] ?? "");
  document.title = problems.length ? `(${problems.length}) dimsegate` : "dimsegate";
  say(by("version"), status.version);
  say(by("under"), `since ${moment(status.since)} (${long(status["uptime-ms"])}), under ${configuration.file}, digest ${configuration.digest.slice(0, 12)}`);
  by("under").title = configuration.digest;
  keyed(by("findings"), problems, ({ level, what }) => `${level} ${what}`, ({ level, what }) => ({
    node: make("p", { class: `finding ${HEALTH[level] ?? ""}` }, make("b", {}, `${level}: `), what),
  }));
  showTiles();
}

function showTiles() {
  const { status, associations, upstreams } = now;
  if (!status) return;
  const first = status["ends-first"];
  const open = status.associations;
  const moved = associations ? [...routes.values()].reduce((sum, one) => sum + last(one), 0) : 0;
  const down = (upstreams ?? []).filter(one => one.availability === "down").length;
  const tiles = [
    ["refusals", String(status.refusals), "refused in 5 minutes", status.refusals ? "bad" : ""],
    ["associations", String(open.open), `connected, of ${open.allowed}`, ""],
    ["throughput", rate(moved), "through the proxy now", ""],
    ...(upstreams ? [["upstreams", down ? `${down} down` : String(upstreams.length), down ? `of ${plural(upstreams.length, "upstream")}` : upstreams.length === 1 ? "upstream" : "upstreams", down ? "bad" : ""]] : []),
    ...(first ? [["certificates", first.days < 0 ? "ended" : plural(first.days, "day"), `until ${first.what} ends`, first.days < 3 ? "bad" : ""]] : []),
  ];
  keyed(by("tiles"), tiles, ([id]) => id, ([id]) => {
    const [figure, what] = [make("b"), make("span", { class: "quiet" })];
    const node = make("a", { class: "tile", href: `#${id}` }, figure, what);
    const update = ([, number, words, kind]) => {
      say(figure, number);
      say(what, words);
      name(node, "class", `tile ${kind}`);
    };
    return { node, update };
  });
}

// --- refusals ---------------------------------------------------------------------------------------------------

let refusals = [];
let allRefusals = false;

function showRefusals(list) {
  refusals = list;
  const shown = list.slice(0, allRefusals ? MOST_ROWS : MOST_REFUSALS);
  keyed(by("refused"), shown.length ? shown : [{ none: true }], refusalKey, one => (one.none ? nobody() : refusal(one)));
  const left = list.length - shown.length;
  keyed(by("refused-rest"), left ? [left] : [], () => "more", () => {
    const more = button("", () => { allRefusals = true; showRefusals(refusals); by("refused").querySelector("button")?.focus(); });
    const rest = make("p", { class: "quiet" });
    const update = count => {
      more.hidden = allRefusals;
      say(more, `Show ${count} more`);
      say(rest, allRefusals ? `and ${count} more; the records have them all` : "");
    };
    return { node: make("div", { class: "more" }, more, rest), update };
  });
}

const nobody = () => ({ node: make("p", { class: "nobody" }, "Nobody was refused since the proxy began.") });

/** One like it gets a new id each time it comes; the row stays, and so does what was replayed in it. */
const refusalKey = one =>
  one.none ? "none" : [one.first, one.listener, host(one.address), one["calling-ae-title"], one["called-ae-title"], one.certificate, one.reason].join("\n");

function refusal(first) {
  let one = first;
  const [when, count, why] = [make("span", { class: "times" }), make("span", { class: "label" }), make("p", { class: "why" })];
  const asked = first["calling-ae-title"] != null;
  const who = asked ? `${title(first["calling-ae-title"])} to ${title(first["called-ae-title"] ?? "")}` : "Before an association was asked for";
  const remedy = make("p", { class: "command" });
  const answer = make("div", { class: "answer", role: "status" });
  const nearest = make("p", { class: "times" });
  // Replay is for operators; the command is for everybody who may read the configuration.
  const command = copied("");
  const terminal = make("p", { class: "command if-viewer", hidden: !asked }, make("span", {}, "To replay it in a terminal there:"), command);
  const replay = button("Replay", async () => {
    replay.disabled = true;
    answer.replaceChildren(...(await replayed(one)));
    replay.disabled = false;
  }, { class: "unless-viewer", "aria-label": `Replay the decision about ${who}` });
  const node = make("article", { class: "row", "aria-label": who },
    make("div", { class: "top" }, make("b", {}, who), make("span", { class: "times" }, `from ${host(first.address)}, at listener ${first.listener}`), when, count, make("span", { class: "label" }, first.reason)),
    why, nearest, remedy, terminal,
    make("div", { class: "actions" }, replay, button("Block …", () => block(one), { class: "if-blocks" })),
    answer);
  const update = now => {
    one = now;
    say(when, `${moment(now.last)}, ${about(Date.now() - Date.parse(now.last))} ago`);
    say(count, now.count > 1 ? `${now.count.toLocaleString("en")} times` : "once");
    name(count, "class", now.count > 1 ? "label bad" : "label");
    say(why, sentenceOf(now.explanation || now.meaning));
    const near = now.nearest;
    say(nearest, near ? `Nearest: peer ${near.peer} (line ${near.line} of the configuration); ${near.condition} does not fit.` : now.look ? `Look at: ${now.look}.` : "");
    if (remedy.dataset.of !== (now.remedy ?? "")) {
      remedy.dataset.of = now.remedy ?? "";
      remedy.replaceChildren(...(now.remedy ? [make("span", {}, "To let it in:"), copied(now.remedy)] : []));
    }
    remedy.hidden = !now.remedy;
    if (asked) say(command, explainOf(now));
  };
  return { node, update };
}

function explainOf(one) {
  const of = { "-c": now.status?.configuration.file ?? "FILE", "--listener": one.listener, "--from": host(one.address), "--calling": one["calling-ae-title"], "--called": one["called-ae-title"] };
  return `dimsegate explain ${Object.entries(of).map(([option, value]) => `${option} ${quoted(value ?? "")}`).join(" ")}`;
}

const sentenceOf = text => (text ? text[0].toUpperCase() + text.slice(1).replace(/[^.!?]$/, "$&.") : "");

/** One like it that came meanwhile has another id: that is looked up, and asked about. */
async function replayed(one) {
  for (let again = 3; ; again -= 1) {
    try {
      return explained(await ask("explain", "POST", { refusal: one.id }));
    } catch (error) {
      if (error.status !== 404 || !again) return [make("p", { class: "finding bad" }, sentenceOf(sentence(error)))];
      const list = await ask("refusals").catch(() => []);
      one = list.find(other => refusalKey(other) === refusalKey(one)) ?? one;
    }
  }
}

function explained(told) {
  const verdict = told.allowed ? "It would be let in now" : "It would be refused again";
  const under = ` by configuration ${told.configuration.slice(0, 12)}`;
  const granted = told.granted;
  const kept = granted?.contexts.filter(context => !context.offered) ?? [];
  return [make("div", { class: `finding ${told.allowed ? "good" : "bad"}` }, make("p", {}, make("b", {}, verdict), under, "."), terms([
    ["why", sentenceOf(told.why ?? told.meaning)],
    ["nearest", told.nearest && `peer ${told.nearest.peer}, line ${told.nearest.line}: ${told.nearest.condition}`],
    ["to let it in", told.remedy && copied(told.remedy)],
    ["as", granted && `peer ${granted.peer} (line ${granted.line}), role ${granted.role}`],
    ["upstream", granted?.upstream],
    ["rewrite", granted?.rewrite],
    ["operations", granted?.operations.join(", ")],
    ["contexts", granted && `${granted.contexts.length - kept.length} of ${granted.contexts.length} offered`],
    ["not offered", kept.map(context => `${context["abstract-syntax"]} (${context.reason})`).join(", ")],
  ]))];
}

// --- associations -----------------------------------------------------------------------------------------------

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

/** An association as its story, for as long as it runs. */
function story(first) {
  const body = make("div");
  const actions = make("div", { class: "actions" },
    button("Block …", () => block(first), { class: "if-blocks" }),
    button("Abort …", () => abort(first), { class: "danger if-operator" }),
    button("Close", () => dialog.close()));
  let timer;
  let over = false;
  const refresh = async () => {
    try {
      const one = await ask(`associations/${encodeURIComponent(first.id)}`);
      body.replaceChildren(...told(one));
    } catch (error) {
      if (error.status === 404) {
        over = true;
        if (!recordsFolder) await ask("configuration").then(showConfiguration).catch(() => {});
        const command = recordsFolder ? copied(`dimsegate audit show ${quoted(recordsFolder)} ${first.id}`) : "dimsegate audit show";
        body.prepend(make("p", { class: "finding", role: "status" }, "It has ended. Its records tell the rest: ", command));
      }
    }
    if (!over) timer = setTimeout(refresh, document.hidden ? HIDDEN : SHOWN);
  };
  body.append(...told(first));
  open([heading(`${first.peer}: ${title(first["calling-ae-title"])} to ${title(first["called-ae-title"])}`), body, actions], () => {
    over = true;
    clearTimeout(timer);
  });
  timer = setTimeout(refresh, SHOWN);
}

function told(one) {
  const bytes = one.bytes;
  const lane = way => `${way.operation ?? "no request"}${way["message-id"] != null ? ` (message ${way["message-id"]})` : ""}${way["under-way"] ? ", a message is under way" : ""}; bytes moved ${long(way["quiet-ms"])} ago`;
  const kinds = Object.entries(one.operations);
  const head = ["Operation", "success", "warning", "failure", "refused"];
  const counted = kinds.map(([kind, counts]) => make("tr", {}, make("th", { scope: "row" }, kind),
    ...head.slice(1).map(outcome => make("td", { class: "num" }, String(counts[outcome])))));
  return [
    make("p", { class: "why" }, `${one.ending ? "It was ordered to end. " : ""}${sentenceOf(`it ${waiting(one)}`)}`),
    terms([
      ["id", copied(one.id)],
      ["open since", make("span", {}, time(one.since), ` (${long(one["open-ms"])})`)],
      ["requestor", `${one.address}, at listener ${one.listener}`],
      ["certificate", one.certificate],
      ["upstream", `${one.upstream}, ${one["upstream-address"]}`],
      ["from the peer", lane(one["from-peer"])],
      ["to the peer", lane(one["to-peer"])],
      ["bytes", `${amount(bytes["from-requestor"])} from the requestor, ${amount(bytes["to-upstream"])} on to the upstream; ${amount(bytes["from-upstream"])} from the upstream, ${amount(bytes["to-requestor"])} on to the requestor`],
    ]),
    make("h3", {}, "Operations that are over"),
    kinds.length
      ? make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Operations that are over" }, make("table", {}, make("thead", {}, make("tr", {}, ...head.map((text, at) => make("th", { scope: "col", class: at ? "num" : null }, text)))), make("tbody", {}, ...counted)))
      : make("p", { class: "nobody" }, "None yet."),
  ];
}

// --- throughput -------------------------------------------------------------------------------------------------

/** Associations that ended since the last measurement, as their records tell: many begin and end between two looks. */
let over = [];

/** Bytes a second by route, `[when, in, out]` each; `before` has what each association had moved. */
const routes = new Map();
let before = new Map();
let measured = 0;

const last = samples => {
  const [, from, to] = samples.at(-1) ?? [0, 0, 0];
  return from + to;
};

function measure(list) {
  const at = Date.now();
  const seconds = (at - measured) / 1000;
  // Over a moment a rate says nothing.
  if (seconds < 1) return;
  const sums = new Map([...routes.keys()].map(key => [key, [0, 0]]));
  const moved = new Map();
  rates.clear();
  for (const one of list) {
    const bytes = [one.bytes["from-requestor"], one.bytes["to-requestor"]];
    moved.set(one.id, bytes);
    // What an association moved before this page was open belongs to no moment that it shows.
    const since = before.get(one.id) ?? (measured && one["open-ms"] < at - measured ? [0, 0] : bytes);
    const now = bytes.map((count, way) => (measured && seconds > 0 ? Math.max(0, count - since[way]) / seconds : 0));
    rates.set(one.id, now);
    const sum = sums.get(route(one)) ?? [0, 0];
    sums.set(route(one), [sum[0] + now[0], sum[1] + now[1]]);
  }
  for (const one of over) {
    const since = before.get(one.id) ?? (measured && one.lasted < at - measured ? [0, 0] : one.bytes);
    const sum = sums.get(one.route) ?? [0, 0];
    sums.set(one.route, sum.map((rate, way) => rate + (measured ? Math.max(0, one.bytes[way] - since[way]) / seconds : 0)));
  }
  over = [];
  const open = new Set(list.map(route));
  for (const [key, [from, to]] of sums) {
    const samples = (routes.get(key) ?? []).filter(([when]) => at - when <= DRAWN);
    samples.push([at, from, to]);
    if (open.has(key) || samples.some(([, from, to]) => from + to > 0)) routes.set(key, samples);
    else routes.delete(key);
  }
  before = moved;
  measured = at;
}

function showRoutes() {
  const busiest = [...routes].map(([key, samples]) => [key, samples, samples.reduce((sum, [, from, to]) => sum + from + to, 0)]);
  busiest.sort(([, , one], [, , other]) => other - one);
  // The busiest are shown, each in its place.
  const shown = busiest.slice(0, MOST_ROUTES).sort(([one], [other]) => one.localeCompare(other));
  keyed(by("routes"), shown.length ? shown : [["", null]], ([key]) => key, ([key, samples]) => (samples ? lane(key) : {
    node: make("p", { class: "nobody" }, "Nothing has gone through since this page is open."),
  }));
}

function lane(key) {
  const svg = draw("svg", { viewBox: "0 0 300 44", preserveAspectRatio: "none", role: "img", "aria-label": `Throughput of ${key}` });
  const [into, out] = ["in", "out"].map(kind => svg.appendChild(draw("path", { class: kind })));
  const figure = make("div", { class: "figure" });
  const most = make("small");
  const text = make("span");
  figure.append(text, make("br"), most);
  const update = ([, samples]) => {
    const end = samples.at(-1)[0];
    const top = Math.max(1, ...samples.map(([, from, to]) => Math.max(from, to)));
    name(into, "d", area(samples, 1, end, top));
    name(out, "d", area(samples, 2, end, top));
    say(text, rate(last(samples)));
    say(most, top > 1 ? `most ${rate(top)}` : "");
  };
  return { node: make("div", { class: "route" }, make("b", {}, key), svg, figure), update };
}

function area(samples, way, end, top) {
  if (!samples.some(sample => sample[way] > 0)) return "";
  const x = when => (300 - (300 * (end - when)) / DRAWN).toFixed(1);
  const points = samples.map(sample => `${x(sample[0])} ${(43 - (41 * sample[way]) / top).toFixed(1)}`);
  return `M${x(samples[0][0])} 43L${points.join("L")}L300 43Z`;
}

// --- upstreams, certificates, limits, peers, configuration -------------------------------------------------------

/** How an upstream is: a word, what it means for the eye, and what a person wants to know of it. */
function stateOf(one) {
  const kind = { up: "good", probing: "warn", down: "bad" }[one.availability];
  const silent = one.asked.filter(address => address.availability !== "up");
  const why = silent.map(address => `${address.called} ${address.availability} since ${moment(address.since)}: ${address["last-failure"] ?? ""}`);
  return kind ? { word: silent.length && kind === "good" ? `up, ${silent.length} of ${one.asked.length} down` : one.availability,
    kind: silent.length && kind === "good" ? "warn" : kind, why: [...why, ...one.unknown].join("; ") } : null;
}

const showUpstreams = table(by("archives"), "Upstreams", [
  { head: "Name", fill: words(one => one.name, one => `line ${one.line}`) },
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

const USED = { associations: "Associations", "request-memory": "Memory for requests", "decoding-memory": "Memory for decoding", descriptors: "File descriptors" };

function showLimits(limits) {
  const all = Object.entries(USED).map(([key, text]) => ({ text, bytes: key.endsWith("memory"), ...limits[key] }));
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
  { head: "Name", fill: words(one => one.name, one => `line ${one.line}`) },
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
  if (folder === recordsFolder) return;
  recordsFolder = folder;
  by("report").replaceChildren(...(folder ? [make("p", { class: "command" }, make("span", {}, "The report on the last 7 days, a page to read and to print:"),
    copied(`dimsegate audit report ${quoted(folder)} -o report.html`))] : []));
}

// --- blocks -----------------------------------------------------------------------------------------------------

const showBlocks = table(by("blocked"), "Blocked", [
  { head: "Whom", fill: words(one => one.of, one => one.reason) },
  { head: "Until", fill: words(one => (one.until ? moment(one.until) : "it is unblocked")) },
  { head: "By", fill: words(one => one.by, one => moment(one.since)) },
  { head: "Actions", kind: "do", fill: (node, item) => {
    const undo = button("Unblock …", () => unblock(item()), { class: "act if-operator" });
    node.append(undo);
    return one => name(undo, "aria-label", `Unblock ${one.of}`);
  } },
], one => one.id, "Nobody is blocked.");

let noBlocks = false;

/** Where the interface has no blocks, the page has none. */
async function blocks() {
  if (noBlocks) return;
  let list = null;
  try {
    list = await ask("blocks");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    noBlocks = error.status === 404;
  }
  by("blocks").hidden = by("to-blocks").hidden = !list;
  document.body.classList.toggle("blocks", Boolean(list));
  if (list) showBlocks(list);
}

function unblock(one) {
  question("Unblock?", `${one.of} may come again, as far as the configuration lets it.`, [], "Unblock", async () => {
    await ask(`blocks/${encodeURIComponent(one.id)}`, "DELETE");
    await blocks();
  });
}

// --- records ----------------------------------------------------------------------------------------------------

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

// --- rounds -----------------------------------------------------------------------------------------------------

const often = [["status", showStatus], ["associations", showAssociations], ["refusals", showRefusals], ["upstreams", list => { now.upstreams = list; showUpstreams(list); showTiles(); }]];
const seldom = [
  { id: "certificates", get: "certificates", show: showCertificates },
  { id: "limits", get: "limits", show: showLimits },
  { id: "peers", get: "peers", show: showPeers },
  { id: "configuration", get: "configuration", show: showConfiguration },
  { id: "blocks", run: blocks },
];
const seen = new Map();
const asked = new Map();
let answered = Date.now();
let timer = null;
let round = 0;

/** One look at everything that is due. Whoever asks for another one meanwhile gets it, and this one ends. */
async function look() {
  const mine = ++round;
  clearTimeout(timer);
  try {
    await Promise.all(often.map(async ([path, show]) => show(await ask(path))));
    await Promise.all(seldom.filter(isDue).map(async one => {
      asked.set(one.id, Date.now());
      await (one.run?.() ?? ask(one.get).then(one.show));
    }));
    answered = Date.now();
    silence("");
  } catch (error) {
    if (error instanceof Refused) {
      answered = Date.now();
      const advice = session.offered && session.by !== "session" ? " Log in to see more." : "";
      silence(`${sentenceOf(error.message)}${advice}`, "Not for you");
    } else if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") {
      silence(`No answer since ${clock(answered)}; trying again.`, "No answer");
    } else {
      silence("This page met something that it does not know; the browser's console says more.", "Not shown");
      console.error(error);
    }
  }
  if (mine === round) timer = setTimeout(look, document.hidden ? HIDDEN : SHOWN);
}

/** Those that are on the screen, twice a minute; blocks have no place on it until there is an answer. */
const isDue = ({ id }) => (seen.get(id) || id === "blocks") && !document.hidden && Date.now() - (asked.get(id) ?? 0) >= SELDOM;

function silence(text, what) {
  const node = by("silence");
  say(node, text);
  name(node, "class", text ? "finding bad" : "");
  document.body.classList.toggle("silent", Boolean(text));
  if (text) state(what, "bad");
}

function again() {
  asked.clear();
  look();
}

const watch = new IntersectionObserver(entries => {
  let news = false;
  for (const entry of entries) {
    news ||= entry.isIntersecting && !seen.get(entry.target.id) && !asked.has(entry.target.id);
    seen.set(entry.target.id, entry.isIntersecting);
  }
  if (news) look();
}, { rootMargin: "200px" });

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  showRecords();
  whoAsks();
  look();
});

whoAsks().finally(() => {
  look();
  listen();
  seldom.forEach(({ id }) => watch.observe(by(id)));
});
setInterval(() => { if (!document.hidden) whoAsks(); }, SELDOM);
