// How much goes through, by route, drawn while the page is open.

const MOST_ROUTES = 12;
const DRAWN = 5 * 60 * 1000;

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
    const since = before.get(one.id) ?? (measured && openFor(one) < at - measured ? [0, 0] : bytes);
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
