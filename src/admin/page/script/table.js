// Tables whose rows stay where they are for as long as what they show does.

const MOST_ROWS = 200;

/** A table whose rows are kept by their key, with a box to look for some of them where there are many. */
function table(parent, title, columns, key, nothing) {
  const body = make("tbody");
  const heads = columns.map(({ head, kind }) => make("th", { scope: "col", role: "columnheader", class: kind }, kind === "do" ? make("span", { class: "unseen" }, head) : head));
  const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
  body.setAttribute("role", "rowgroup");
  const box = make("input", { type: "search", "aria-label": `Filter: ${title}`, placeholder: "Filter", autocomplete: "off", spellcheck: "false" });
  const more = make("p", { class: "quiet" });
  const none = make("p", { class: "nobody" }, nothing);
  const scroll = make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title }, make("table", { class: "keyed", role: "table", "aria-label": title }, head, body));
  const search = make("p", { class: "search" }, box);
  parent.replaceChildren(search, none, scroll, more);
  let all = [];
  none.hidden = scroll.hidden = search.hidden = true;
  const show = () => {
    const words = box.value.trim().toLowerCase();
    const fitting = words ? all.filter(item => JSON.stringify(item).toLowerCase().includes(words)) : all;
    const shown = fitting.slice(0, MOST_ROWS);
    keyed(body, shown, key, item => row(item, columns));
    none.hidden = fitting.length > 0;
    say(none, words && all.length ? `None of ${all.length} has “${box.value.trim()}”.` : nothing);
    scroll.hidden = fitting.length === 0;
    scroll.classList.toggle("many", shown.length > 40);
    search.hidden = all.length <= 12 && !words;
    const left = fitting.length - shown.length;
    more.hidden = left === 0;
    say(more, left ? `and ${left} more; the filter finds them` : "");
  };
  box.addEventListener("input", show);
  return items => { all = items; show(); };
}

function row(first, columns) {
  let item = first;
  const cells = columns.map(({ head, kind, fill }, at) => {
    const header = at === 0 ? { scope: "row", role: "rowheader" } : { role: "cell" };
    const node = make(at === 0 ? "th" : "td", { ...header, class: kind, "data-of": head });
    return { node, update: fill(node, () => item) };
  });
  const update = now => {
    item = now;
    cells.forEach(cell => cell.update(now));
  };
  return { node: make("tr", { role: "row" }, ...cells.map(cell => cell.node)), update };
}

/** A cell of text, with a smaller line under it. */
const words = (of, under) => node => {
  const [text, small] = [make("span"), make("small")];
  node.append(text, ...(under ? [small] : []));
  return item => {
    say(text, String(of(item) ?? ""));
    if (under) say(small, String(under(item) ?? ""));
  };
};
