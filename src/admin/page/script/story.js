// An association as its story, for as long as it is open.

const ANSWERS = {
  acceptance: "accepted",
  "user-rejection": "refused (user-rejection)",
  "no-reason": "refused, no reason given",
  "abstract-syntax-not-supported": "abstract syntax not supported",
  "transfer-syntaxes-not-supported": "transfer syntaxes not supported",
  "not-offered": "not asked: the role of the peer does not allow it",
  "not-answered": "not answered",
};
const OUTCOMES = ["success", "warning", "failure", "refused"];

/** A keyword of PS3.6 in words, so that it is read, and breaks, as such. */
const inWords = keyword => keyword.replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
const named = ({ name, uid }) => (name ? inWords(name) : uid);
const underName = ({ name, uid }) => (name ? uid : "");

/** What a person wants to know of a context: with whom it came to an end, and how. */
const CONTEXTS = [
  { head: "Context", kind: "wide", fill: words(one => `${one.id}: ${named(one["abstract-syntax"])}`, one => underName(one["abstract-syntax"])) },
  { head: "Proposed", kind: "wide", fill: words(one => `${one["proposed-transfer-syntaxes"].map(named).join(", ")}${one["more-transfer-syntaxes"] ? ` and ${one["more-transfer-syntaxes"]} more` : ""}`) },
  { head: "Upstream", fill: words(one => ANSWERS[one.upstream] ?? one.upstream) },
  { head: "Requestor got", fill: words(one => ANSWERS[one.requestor] ?? one.requestor, one => (one["transfer-syntax"] ? named(one["transfer-syntax"]) : "")) },
  { head: "Requestor is", fill: words(one => one.roles.map(role => role.toUpperCase()).join(" and ") || "nothing", one => one["proposed-roles"] && `proposed ${one["proposed-roles"].map(role => role.toUpperCase()).join(" and ") || "nothing"}`) },
];

const OPERATIONS = [
  { head: "Operation", fill: words(([kind]) => kind) },
  ...OUTCOMES.map(outcome => ({ head: outcome, kind: "num", fill: words(([, counts]) => counts[outcome]) })),
];

const moving = (one, lane) => {
  const { operation, "message-id": message, "under-way": inside } = one[lane];
  return `${operation ?? "no request"}${message != null ? ` (message ${message})` : ""}${inside ? ", a message is under way" : ""}; bytes moved ${about(quietFor(one, lane))} ago`;
};

/** What does not change while it is open. */
const fixed = one => [
  ["id", copied(one.id)],
  ["open since", time(one.since)],
  ["requestor", `${one.address}, at listener ${one.listener}`],
  ["certificate", one.certificate],
  ["user", one.user],
  ["upstream", `${one.upstream}, ${one["upstream-address"]}`],
];

/** What does. */
const CHANGING = {
  "open for": one => about(openFor(one)),
  "from the peer": one => moving(one, "from-peer"),
  "to the peer": one => moving(one, "to-peer"),
  bytes: ({ bytes }) => `${amount(bytes["from-requestor"])} from the requestor, ${amount(bytes["to-upstream"])} on to the upstream; ${amount(bytes["from-upstream"])} from the upstream, ${amount(bytes["to-requestor"])} on to the requestor`,
};

/** Its parts, and what shows in them how it is now: what somebody reads or has marked stays where it is. */
function storyParts(first) {
  const why = make("p", { class: "why" });
  const places = Object.entries(CHANGING).map(([term, say]) => [term, make("span"), say]);
  const [operations, contexts] = [make("div"), make("div", { class: "contexts" })];
  const showOperations = table(operations, "Operations that are over", OPERATIONS, ([kind]) => kind, "None yet.");
  const showContexts = table(contexts, "Presentation contexts", CONTEXTS, one => one.id, "Not known yet.");
  const nodes = [why, terms([...fixed(first), ...places.map(([term, node]) => [term, node])]),
    make("h3", {}, "Operations that are over"), operations, make("h3", {}, "Presentation contexts"), contexts];
  const update = one => {
    say(why, `${one.ending ? "It was ordered to end. " : ""}${sentenceOf(`it ${waiting(one)}`)}`);
    places.forEach(([, node, told]) => say(node, told(one)));
    showOperations(Object.entries(one.operations));
    showContexts(one.contexts ?? []);
  };
  return { nodes, update };
}

function story(first) {
  const { nodes, update } = storyParts(first);
  const end = make("div", { role: "status" });
  const actions = make("div", { class: "actions" },
    button("Block …", () => block(first), { class: "if-blocks" }),
    button("Abort …", () => abort(first), { class: "danger if-operator" }),
    button("Close", () => dialog.close()));
  let [timer, over] = [null, false];
  const refresh = async () => {
    try {
      update(await ask(`associations/${encodeURIComponent(first.id)}`));
    } catch (error) {
      over ||= error.status === 404;
      if (error.status === 404) end.replaceChildren(await itsEnd(first));
    }
    if (!over) timer = setTimeout(refresh, document.hidden ? HIDDEN : SHOWN);
  };
  update(first);
  open([heading(`${first.peer}: ${title(first["calling-ae-title"])} to ${title(first["called-ae-title"])}`), end, ...nodes, actions], () => {
    over = true;
    clearTimeout(timer);
  }, "broad");
  refresh();
}

async function itsEnd({ id }) {
  if (!recordsFolder) await ask("configuration").then(showConfiguration).catch(() => {});
  const command = recordsFolder ? copied(`dimsegate audit show ${quoted(recordsFolder)} ${id}`) : "dimsegate audit show";
  return make("p", { class: "finding" }, "It has ended. Its records tell the rest: ", command);
}
