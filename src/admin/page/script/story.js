// An association as its story, for as long as it is open.

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
