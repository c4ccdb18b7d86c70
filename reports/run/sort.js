// One way to sort: the button of a head goes through its ways, and then back to the first order.
function sorter(head, name, holder, ways, apply) {
  const button = make("button", { type: "button", class: "sort", title: "sort", "aria-label": `Sort by ${name}` }, "⇅");
  holder.append(" ", button);
  button.addEventListener("click", () => apply(ways[ways.indexOf(head.getAttribute("aria-sort")) + 1] || ""));
}

// Rows, which come in their first order, by what key says of them; what it says nothing of stands last both ways.
function ordered(rows, key, way, compare) {
  if (!way) return rows;
  const turn = way === "ascending" ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return turn * compare(x, y);
  });
}

// Tables of class "sorts", by the text of a column.
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const first = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const compare = (a, b) => a.localeCompare(b, "en", { numeric: true });
  for (const head of heads) {
    sorter(head, head.textContent.replace(/\u00ad/g, ""), head, ["ascending", "descending"], (way) => {
      for (const other of heads) other.removeAttribute("aria-sort");
      if (way) head.setAttribute("aria-sort", way);
      body.append(...ordered(first, (row) => row.cells[head.cellIndex].textContent, way, compare));
    });
  }
}
