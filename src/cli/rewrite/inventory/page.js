"use strict";
// Draws the texts that are left, takes what is decided about each, and says it as rules and as a list of what was accepted.

const MOST_ROWS = 200;
const pairs = JSON.parse(document.getElementById("data").textContent);
const decided = new Map();
let shown = MOST_ROWS;

const CHOICES = [
  ["", "to decide"],
  ["accept", "accept"],
  ["empty", "rule: empty"],
  ["remove", "rule: remove"],
  ["pattern", "rule: take out this text"],
];

function make(name, attributes, ...inner) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inner);
  return element;
}

/** Characters that are not seen, or that turn others round, as their numbers. */
function visible(text) {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}]/gu, one => `\\u{${one.codePointAt(0).toString(16)}}`);
}

function said(pair) {
  return pair.length ? `${visible(pair.text)}… (${pair.length} bytes)` : visible(pair.text);
}

const box = make("input", { type: "search", "aria-label": "Filter texts", placeholder: "Filter", autocomplete: "off", spellcheck: "false" });
const left = make("label", { class: "check" }, make("input", { type: "checkbox" }), " only what is to decide");
const told = make("p", { class: "quiet", role: "status" });
const list = make("div", { class: "pairs" });
const more = make("button", { type: "button" }, "Show more");
document.getElementById("rows").replaceChildren(make("p", { class: "filter" }, box, left), told, list, make("p", { class: "actions" }, more));

function choice(pair, at) {
  const select = make("select", { "aria-label": `What becomes of text ${at + 1}`, name: pair.digest });
  for (const [value, words] of CHOICES) {
    // A text that is shown in part cannot be looked for.
    if (value !== "pattern" || !pair.length) select.append(make("option", { value }, words));
  }
  select.value = decided.get(pair) ?? "";
  select.addEventListener("change", () => {
    if (select.value) decided.set(pair, select.value);
    else decided.delete(pair);
    select.closest(".pair").classList.toggle("done", Boolean(select.value));
    tell();
  });
  return select;
}

function row(pair, at) {
  const times = pair.times === 1 ? "once" : `${pair.times} times`;
  const name = pair.keyword || pair.rule;
  const where = name === pair.attribute ? "" : ` ${pair.attribute}`;
  const words = pair.why.map(why => make("span", { class: why === pair.why[0] ? "label warn" : "label" }, why));
  return make("div", { class: decided.has(pair) ? "pair done" : "pair" },
    make("div", { class: "what" },
      make("p", { class: "text mono" }, said(pair)),
      make("p", { class: "quiet" }, make("b", {}, visible(name)), visible(`${where} ${pair.vr} · ${times}, in ${pair.example}`)),
      make("p", { class: "labels" }, ...words)),
    make("div", { class: "decide" }, choice(pair, at)));
}

function draw() {
  const words = box.value.trim().toLowerCase();
  const only = left.firstChild.checked;
  const fits = pair => (!words || `${pair.text} ${pair.attribute} ${pair.keyword} ${pair.why.join(" ")}`.toLowerCase().includes(words)) && (!only || !decided.has(pair));
  const fitting = pairs.map((pair, at) => [pair, at]).filter(([pair]) => fits(pair));
  list.replaceChildren(...fitting.slice(0, shown).map(([pair, at]) => row(pair, at)));
  more.hidden = fitting.length <= shown;
  told.dataset.fitting = fitting.length;
  tell();
}

function tell() {
  const fitting = Number(told.dataset.fitting);
  const seen = Math.min(shown, fitting);
  told.textContent = `${decided.size} of ${pairs.length} decided; ${seen} of ${fitting} shown`;
  document.getElementById("toml").value = rules();
  document.getElementById("accepted").value = accepted();
}

// JSON's strings are TOML's basic strings but for DEL, which TOML wants escaped.
const quoted = text => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function rules() {
  const whole = new Map();
  const lines = [];
  for (const [pair, what] of decided) {
    if (what === "pattern") {
      const find = pair.text.replace(/[\\^$.*+?()[\]{}|#&~\-]/g, "\\$&");
      lines.push(`  { tag = ${quoted(pair.rule)}, action = "pattern", find = ${quoted(find)}, value = "" },`);
    } else if (what !== "accept") {
      whole.set(pair.rule, what);
    }
  }
  // Where the whole attribute goes, no part of it has to; the first rule for an attribute decides.
  const kept = lines.filter(line => ![...whole.keys()].some(rule => line.startsWith(`  { tag = ${quoted(rule)},`)));
  for (const [rule, what] of whole) kept.push(`  { tag = ${quoted(rule)}, action = "${what}" },`);
  return kept.join("\n");
}

function accepted() {
  const chosen = [...decided].filter(([, what]) => what === "accept");
  const entries = chosen.map(([{ attribute, keyword, text, digest }]) => ` ${JSON.stringify({ attribute, keyword, text, digest })}`);
  return entries.length ? `[\n${entries.join(",\n")}\n]` : "[]";
}

async function copy(button) {
  const from = document.getElementById(button.dataset.copies);
  const status = button.parentElement.querySelector("[role=status]");
  from.select();
  let done = false;
  try {
    await navigator.clipboard.writeText(from.value);
    done = true;
  } catch {
    done = document.execCommand("copy");
  }
  status.textContent = done ? "copied" : "selected: copy it by the keyboard";
}

for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => copy(button));
box.addEventListener("input", () => { shown = MOST_ROWS; draw(); });
left.firstChild.addEventListener("change", draw);
more.addEventListener("click", () => { shown += MOST_ROWS; draw(); });
draw();
