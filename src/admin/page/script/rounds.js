// When what is asked for, and what is said where nobody answers.

const SHOWN = 2000;
const HIDDEN = 30000;
const SELDOM = 30000;

const often = [
  ["status", showStatus],
  [null, () => askAssociations().then(showAssociations)],
  [null, async () => showRefusals((await news("refusals")) ?? refusals)],
  ["upstreams", list => { now.upstreams = list; showUpstreams(list); showTiles(); }],
];
const seldom = [
  { id: "certificates", get: "certificates", show: showCertificates },
  { id: "limits", get: "limits", show: showLimits },
  { id: "peers", get: "peers", show: showPeers },
  { id: "people", run: people },
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
    if (!session.known) await whoAsks();
    if (session.role) await askAll();
    answered = Date.now();
    if (session.role) silence("");
    else shut();
  } catch (error) {
    await failed(error);
  }
  // Whoever may not look has to log in first, or to be given a role; whether they have is asked for by itself.
  if (mine === round && (session.role || !session.known)) timer = setTimeout(look, document.hidden ? HIDDEN : SHOWN);
}

async function askAll() {
  await Promise.all(often.map(async ([path, show]) => show(path && (await ask(path)))));
  await Promise.all(seldom.filter(isDue).map(async one => {
    asked.set(one.id, Date.now());
    await (one.run?.() ?? ask(one.get).then(one.show));
  }));
}

async function failed(error) {
  if (error instanceof Refused) {
    answered = Date.now();
    if ([401, 403].includes(error.status)) await whoAsks().catch(() => {});
    if (session.role) silence(sentence(error), "Not for you");
    else shut();
  } else if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") {
    silence(`No answer since ${clock(answered)}; trying again.`, "No answer");
  } else {
    silence("This page met something that it does not know; the browser's console says more.", "Not shown");
    console.error(error);
  }
}

/** Nobody who may look is here. What was seen stays, and is said to be old. */
function shut() {
  const { offered, over, user } = session;
  if (over) silence(`The session is over since ${clock(answered)}; what is below is from before that.`, "Session over", offered);
  else if (offered) silence("Log in to see what the proxy is at.", "Not logged in", true);
  else silence(`${user ?? "Whoever this is"} has no role here; an [[admin.access]] of the configuration gives one.`, "Not for you");
}

/** Those that are on the screen, twice a minute; blocks have no place on it until there is an answer. */
const isDue = ({ id }) => (seen.get(id) || id === "blocks") && !document.hidden && Date.now() - (asked.get(id) ?? 0) >= SELDOM;

/** Says why nothing new is shown, in `what` the heading too; with a way to log in where that helps. */
function silence(text, what, canLogIn = false) {
  const node = by("silence");
  if (node.firstChild?.textContent !== text) {
    node.replaceChildren(...(text ? [make("span", {}, text), canLogIn ? button("Log in …", logIn, { class: "main" }) : ""] : []));
  }
  const kind = canLogIn ? "warn" : "bad";
  name(node, "class", text ? `finding ${kind}` : "");
  document.body.classList.toggle("silent", Boolean(text));
  if (text) state(what, kind);
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
  look();
});

look().finally(() => seldom.forEach(({ id }) => watch.observe(by(id))));
setInterval(() => { if (!document.hidden) whoAsks().catch(() => {}); }, SELDOM);
