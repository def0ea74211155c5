// Elements of the page. What comes from the interface goes into it as text alone.

const SVG = "http://www.w3.org/2000/svg";

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

/** Terms and what they are; those without a value are left out. */
function terms(pairs) {
  const said = pairs.filter(([, value]) => value != null && value !== "");
  return make("dl", {}, ...said.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
}

const copied = text => make("code", { class: "copied", tabindex: "0" }, text);
