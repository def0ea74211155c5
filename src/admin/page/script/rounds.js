// When what is asked for, and what is said where nobody answers.

const SHOWN = 2000;
const HIDDEN = 30000;
const SELDOM = 30000;

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
