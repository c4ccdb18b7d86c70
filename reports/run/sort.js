// Tables of class "sorts": a click on a head sorts, a second one turns, a third one takes it back.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const first = [...body.rows];
  const turns = ["ascending", "descending"];
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = "⇅";
    button.setAttribute("aria-label", `Sort by ${head.textContent.replace(/\u00ad/g, "")}`);
    head.append(" ", button);
    button.addEventListener("click", () => {
      const way = turns[turns.indexOf(head.getAttribute("aria-sort")) + 1];
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      if (way) head.setAttribute("aria-sort", way);
      const text = (row) => row.cells[head.cellIndex].textContent;
      const compare = (a, b) => text(a).localeCompare(text(b), "en", { numeric: true });
      const sorted = way ? [...first].sort(compare) : first;
      body.append(...(way === "descending" ? sorted.reverse() : sorted));
    });
  }
}
