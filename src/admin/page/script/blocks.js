// Who is shut out.

by("block-somebody").append(button("Block somebody …", () => block(null), { class: "if-operator" }));

const showBlocks = table(by("blocked"), "Blocked", [
  { head: "Whom", kind: "breaks", fill: words(one => one.of, one => one.reason) },
  { head: "Until", fill: words(one => (one.until ? moment(one.until) : "it is unblocked")) },
  { head: "By", fill: words(one => one.by, one => moment(one.since)) },
  { head: "Actions", kind: "do", fill: (node, item) => {
    const undo = button("Unblock …", () => unblock(item()), { class: "act if-operator" });
    node.append(undo);
    return one => name(undo, "aria-label", `Unblock ${one.of}`);
  } },
], one => one.id, "Nobody is blocked.");

let noBlocks = false;

/** Where the interface has no blocks, the page has none. */
async function blocks() {
  if (noBlocks) return;
  let list = null;
  try {
    list = await ask("blocks");
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    noBlocks = error.status === 404;
  }
  by("blocks").hidden = by("to-blocks").hidden = !list;
  document.body.classList.toggle("blocks", Boolean(list));
  if (list) showBlocks(list);
}

function unblock(one) {
  question("Unblock?", `${one.of} may come again, as far as the configuration lets it.`, [], "Unblock", async () => {
    await ask(`blocks/${encodeURIComponent(one.id)}`, "DELETE");
    await blocks();
  });
}
