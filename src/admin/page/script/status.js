// Is it up, and is anything wrong.

const HEALTH = { ok: "good", warning: "warn", critical: "bad" };
const now = { status: null, associations: null, upstreams: null, certificates: null };

function showStatus(status) {
  now.status = status;
  document.body.classList.remove("empty");
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
