// Who was refused, why, and what would let them in.

const MOST_REFUSALS = 10;

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
  }, { class: "if-operator", "aria-label": `Replay the decision about ${who}` });
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
    const line = now.stated;
    say(nearest, near ? `Nearest: peer ${near.peer}; ${near.condition}${ofLine(line?.line ?? near.line, " (", ")")} does not fit.` : line ? `Refused by ${line.key}${ofLine(line.line, ", ", "")}.` : now.look ? `Look at: ${now.look}.` : "");
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
    ["nearest", told.nearest && `peer ${told.nearest.peer}${told.nearest.line ? `, line ${told.nearest.line}` : ""}: ${told.nearest.condition}`],
    ["stated", told.stated && `${told.stated.key}${told.stated.line ? `, line ${told.stated.line}` : ""}`],
    ["to let it in", told.remedy && copied(told.remedy)],
    ["as", granted && `peer ${granted.peer}${granted.line ? ` (line ${granted.line})` : ""}, role ${granted.role}`],
    ["upstream", granted?.upstream],
    ["rewrite", granted?.rewrite],
    ["operations", granted?.operations.join(", ")],
    ["contexts", granted && `${granted.contexts.length - kept.length} of ${granted.contexts.length} offered`],
    ["not offered", kept.map(context => `${context["abstract-syntax"]} (${context.reason})`).join(", ")],
  ]))];
}
