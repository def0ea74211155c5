// Questions before something is done.

const dialog = by("dialog");
let ended = null;

function open(content, whenClosed, kind = "") {
  ended?.();
  ended = whenClosed ?? null;
  dialog.className = kind;
  dialog.replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
}

dialog.addEventListener("close", () => {
  // It is told late: the next question may be there already.
  if (dialog.open) return;
  ended?.();
  ended = null;
  dialog.replaceChildren();
});

const heading = text => make("h2", { id: "question", tabindex: "-1", autofocus: true }, text);

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
      // A code works once, and a role may have changed meanwhile.
      const code = form.querySelector("[name=code]");
      if (code) Object.assign(code, { value: "" }).focus();
      else if ([401, 403].includes(error.status)) whoAsks().catch(() => {});
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
function kept(one) {
  const { "calling-ae-title": calling, fingerprints, certificate, peer, user, agreement } = one;
  return [
    ...(calling ? [[`ae-title:${calling}`, `calling AE title ${title(calling)}`]] : []),
    [`address:${host(one.address)}`, `address ${host(one.address)}`],
    ...(fingerprints ? [
      [`certificate:sha256:${fingerprints.sha256}`, `this certificate, ${certificate}`],
      [`certificate:spki-sha256:${fingerprints["spki-sha256"]}`, `its key, in a renewed certificate too, ${certificate}`],
    ] : []),
    ...(peer ? [[`peer:${peer}`, `peer ${peer}`]] : []),
    ...(user ? [[`user:${user}`, `user ${user}`]] : []),
    ...(agreement ? [[`agreement:${agreement}`, `agreement ${agreement}, for every route that is open by it`]] : []),
  ];
}

/** Without somebody whom the page knows, they are written down. */
function block(one) {
  const whom = one ? choices("Whom", "of", kept(one)) : make("label", {}, "Whom", make("small", {}, "ae-title:LYON_CT1, address:203.0.113.0/24, certificate:sha256:…, peer:lyon, user:anna, agreement:lyon-2026"),
    make("input", { name: "of", required: true, autocomplete: "off", spellcheck: "false", autocapitalize: "none" }));
  const times = choices("For", "for", [["1h", "an hour"], ["8h", "8 hours"], ["1d", "a day"], ["7d", "a week"], ["", "until it is unblocked"]]);
  const means = "New associations are refused at once; open ones end when no message is under way. A block outlives reload and restart.";
  question("Block", means, [whom, times, reasonField(true)], "Block", async values => {
    await ask("blocks", "POST", { of: values.of, ...(values.for ? { for: values.for } : {}), reason: values.reason });
    await blocks();
    return `${values.of} is blocked.`;
  }, true);
}
