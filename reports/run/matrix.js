// The matrix: sorting, finding, and the window that a cell opens.
(() => {
  const matrix = document.getElementById("matrix");
  if (!matrix) return;
  const said = document.getElementById("said");
  const unsort = document.getElementById("unsort");
  const find = document.getElementById("find");
  matrix.querySelector(".tools").hidden = false;

  const tables = (scene) => [...scene.querySelectorAll("table.matrix")];
  const rows = (table) => [...table.tBodies[0].rows].filter((row) => row.dataset.m !== undefined);
  for (const table of matrix.querySelectorAll("table.matrix")) {
    rows(table).forEach((row, place) => { row.dataset.place = place; });
  }

  // Best first, then worst first, then as it was; what has no figure stands last both ways.
  const turns = { "↑": ["descending", "ascending"], "↓": ["ascending", "descending"] };

  function sort(head, way) {
    const table = head.closest("table");
    const scene = head.closest(".scene");
    const at = head.cellIndex;
    const key = new Map(rows(table).map((row) => [row.dataset.m, row.cells[at].dataset.v]));
    for (const each of tables(scene)) {
      for (const other of each.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
      const first = rows(each).sort((a, b) => a.dataset.place - b.dataset.place);
      const sorted = ordered(first, (row) => key.get(row.dataset.m), way, (a, b) => Number(a) - Number(b));
      each.tBodies[0].prepend(...sorted);
    }
    if (way) head.setAttribute("aria-sort", way);
    unsort.hidden = !matrix.querySelector("[aria-sort]");
    const name = head.dataset.name;
    said.textContent = way
      ? `${scene.dataset.scenario}: sorted by ${name}, ${way === "ascending" ? "lowest" : "highest"} first.`
      : `${scene.dataset.scenario}: in the first order.`;
  }

  const heads = [...matrix.querySelectorAll("table.matrix thead th[data-name]")];
  const target = (head) => head.querySelector("a").hash.slice(1);
  for (const head of heads) {
    const ways = turns[head.dataset.name.slice(-1)] || ["descending", "ascending"];
    sorter(head, head.dataset.name, head.querySelector(".unit"), ways, (way) => {
      sort(head, way);
      state.write({ sort: way && `${target(head)}:${way}` });
    });
  }
  unsort.addEventListener("click", () => {
    for (const head of heads) if (head.hasAttribute("aria-sort")) sort(head, "");
    state.write({ sort: "" });
    find.focus();
  });

  // Columns and rows that hold none of the words are put away, and the page says how many are left.
  function sift(text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (name) => words.every((word) => name.toLowerCase().includes(word));
    const names = new Set();
    for (const table of matrix.querySelectorAll("table.matrix")) {
      const columns = [...table.tHead.rows[0].cells].slice(1);
      const mine = rows(table);
      const models = mine.map((row) => !words.length || holds(row.cells[0].textContent));
      const metrics = columns.map((head) => !words.length || holds(`${head.dataset.name} ${head.querySelector("a").title}`));
      const byModel = models.some(Boolean) && !metrics.some(Boolean);
      const shown = metrics.map((found) => byModel || found);
      for (const row of table.rows) {
        if (row.cells.length !== columns.length + 1) continue;
        shown.forEach((found, at) => { row.cells[at + 1].hidden = !found; });
      }
      mine.forEach((row, at) => { row.hidden = byModel && !models[at]; });
      const left = shown.some(Boolean);
      table.closest(".frame").hidden = !left;
      const fold = table.closest("details");
      if (fold && words.length && left) fold.open = true;
      columns.forEach((head, at) => { if (shown[at]) names.add(target(head)); });
    }
    said.textContent = words.length ? `${names.size} of ${heads.length} columns shown.` : "";
    state.write({ find: text.trim() });
  }
  find.addEventListener("input", () => sift(find.value));

  // A cell opens what stands at its anchor in a window, its model marked; Esc and the button close it.
  const window_ = make("dialog", { "aria-labelledby": "window-title" });
  document.body.append(window_);
  let opener = null;

  function open(anchor, model, from) {
    const whole = document.getElementById(anchor);
    if (!whole) return false;
    const copy = whole.cloneNode(true);
    copy.removeAttribute("id");
    for (const one of copy.querySelectorAll("[id]")) one.removeAttribute("id");
    for (const row of copy.querySelectorAll(`tr[data-m="${model}"]`)) {
      row.classList.add("chosen");
      row.setAttribute("aria-current", "true");
    }
    const chosen = copy.querySelector(".full tr.chosen");
    const name = chosen ? chosen.cells[0].textContent.trim() : "";
    const title = whole.dataset.title;
    const head = make("div", { class: "window-head" },
      make("div", {},
        make("h2", { id: "window-title" }, name ? `${title} of ${name}` : title),
        make("p", { class: "note" }, `in ${whole.dataset.scenario}${chosen ? `: ${chosen.cells[1].textContent.replace(/[★✗]/g, "").trim()}` : ""}`)),
      make("button", { type: "button", class: "close" }, "Close"));
    head.querySelector(".close").addEventListener("click", () => window_.close());
    window_.replaceChildren(head, make("div", { class: "window-body" }, copy));
    opener = from;
    if (!window_.open) window_.showModal();
    window_.scrollTop = 0;
    state.write({ open: model === "" ? anchor : `${anchor}.${model}` });
    return true;
  }
  window_.addEventListener("close", () => {
    window_.replaceChildren();
    state.write({ open: "" });
    if (opener && opener.isConnected) opener.focus({ preventScroll: true });
    opener = null;
  });
  window_.addEventListener("click", (event) => {
    if (event.target === window_) window_.close();
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    opener = null;
    const told = { row: link.closest("tr"), detail: link.closest(".detail") };
    if (!link.classList.contains("worst")) window_.close();
    else instances(event, told);
  });

  // The instances of one model, which stand worst first: their part of the page reads the address.
  function instances(event, { row, detail }) {
    event.preventDefault();
    const wanted = { scenario: detail.dataset.scenario, model: row.cells[0].querySelector("bdi").textContent };
    if (window_.open) window_.close();
    location.hash = "#instances?" + new URLSearchParams(wanted);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const worst = event.target.closest("main a.worst");
    if (worst) return instances(event, { row: worst.closest("tr"), detail: worst.closest(".detail") });
    const link = event.target.closest("table.matrix a[href^='#s'], .card .links a[data-m]");
    if (!link) return;
    const row = link.closest("tr");
    const model = row ? row.dataset.m ?? "" : link.dataset.m;
    if (open(link.hash.slice(1), model, link)) event.preventDefault();
  });

  // As the address says.
  function restore() {
    const wanted = state.read();
    const [column, way] = (wanted.get("sort") || "").split(":");
    const head = heads.find((one) => target(one) === column);
    if (head && ["ascending", "descending"].includes(way)) sort(head, way);
    if (wanted.get("find")) sift(find.value = wanted.get("find"));
    const [anchor, model = ""] = (wanted.get("open") || "").split(".");
    if (/^s\d+m\d+$/.test(anchor) && /^\d*$/.test(model)) open(anchor, model, null);
  }
  restore();
})();
