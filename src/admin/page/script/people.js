// Who can prove who they are, and by whose tokens.

const locks = one => one.locked.map(({ address, until }) => `from ${address} until ${moment(until)}`).join(", ");
const whyNot = one => (one.disabled ? "disabled" : one.locked.length ? "has to wait" : "");

const showUsers = table(by("users"), "Users", [
  { head: "Name", fill: words(one => one.name, one => (one["one-time-code"] ? "passcode and one-time code" : "passcode")) },
  { head: "Roles", kind: "wide", fill: words(one => [one.administration, ...one.roles].filter(Boolean).join(", "), one => (one.peers.length ? `through ${one.peers.join(", ")}` : "")) },
  { head: "State", kind: "wide", fill: node => {
    const label = make("span", { class: "label" });
    const why = make("small", {});
    node.append(label, why);
    return one => {
      const text = whyNot(one);
      label.hidden = !text;
      say(label, text);
      name(label, "class", `label ${text ? "warn" : ""}`);
      say(why, locks(one));
    };
  } },
  { head: "Until", fill: words(one => one["not-after"]?.slice(0, 10) ?? "") },
  { head: "Open", kind: "num", fill: words(one => one["open-associations"]) },
], one => one.name, "The configuration has no [users].");

const KEYS = one => (one.failing ? (one.count ? ["cannot be fetched", "warn"] : ["none", "bad"]) : one.count ? ["", ""] : ["not fetched yet", "warn"]);

const showIssuers = table(by("issuers"), "Issuers of tokens", [
  { head: "Issuer", fill: words(one => one.name, one => one.line ? `line ${one.line}` : "") },
  { head: "In its tokens", kind: "wide", fill: words(one => one.issuer, one => `for ${one.audience.join(", ")}${one["bound-to-certificate"] ? ", bound to a certificate" : ""}`) },
  { head: "Keys", kind: "wide", fill: node => {
    const label = make("span", { class: "label" });
    const when = make("small", {});
    node.append(label, when);
    return ({ keys }) => {
      const [text, kind] = KEYS(keys);
      label.hidden = !text;
      say(label, text);
      name(label, "class", `label ${kind}`);
      say(when, keys.fetched ? `fetched ${moment(keys.fetched)}, count until ${moment(keys["count-until"])}` : keys["failing"] ? "" : "of a file");
    };
  } },
], one => one.name, "The configuration has no [[issuer]].");

/** Who the users are is for operators. */
async function people() {
  const [issuers, users] = await Promise.all([ask("issuers"), may("operator") ? ask("users") : []]);
  showIssuers(issuers);
  showUsers(users);
}
