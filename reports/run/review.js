// Comments where they are read, a sign-off, and one file that holds both. It sends nothing.
(() => {
  const form = document.getElementById("review-form");
  if (!form) return;
  const { run, estimates } = form.dataset;
  const place = `genrec-eval/review/${run}/${estimates}`;
  const told = document.getElementById("review-comments");
  const names = ["author", "reviewer", "role", "date", "independence", "decision", "comment"];
  const remarks = new Map(); // "section:limits" or "verdict:3" → text
  const titles = new Map(); // the same → what it is about
  let kept = true;

  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };

  function fields() {
    return Object.fromEntries(names.map((name) => [name, form.elements.namedItem(name).value]));
  }

  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify({ fields: fields(), remarks: [...remarks] }));
    } catch {
      kept = false;
    }
    tell();
  }

  function tell(more = "") {
    const n = [...remarks.values()].filter((text) => text.trim()).length;
    const said = n === 1 ? "1 comment on a part of the report" : `${n} comments on parts of the report`;
    told.textContent = `${said}, ${kept ? "kept in this browser" : "not kept by this browser"} until saved.${more}`;
  }

  function restore() {
    try {
      const found = JSON.parse(localStorage.getItem(place) || "{}");
      for (const [name, value] of Object.entries(found.fields || {})) {
        if (names.includes(name)) form.elements.namedItem(name).value = value;
      }
      for (const [about, text] of found.remarks || []) remarks.set(String(about), String(text));
    } catch {
      kept = false;
    }
  }

  // a button that opens a text beneath what it is about
  function offer(about, said, on, after) {
    const title = said.replace(/\s+/g, " ").trim();
    titles.set(about, title.slice(0, 300));
    const open = element("button", "Comment", { type: "button", class: "remark-on", "aria-expanded": "false" });
    open.setAttribute("aria-label", `Comment on: ${title}`);
    let box = null;
    const show = () => {
      box = element("div", "", { class: "remark" });
      const label = element("label", `Comment on: ${title}`);
      const area = element("textarea", "", { rows: "3", maxlength: "5000" });
      area.value = remarks.get(about) || "";
      area.addEventListener("input", () => {
        remarks.set(about, area.value);
        keep();
      });
      label.append(area);
      box.append(label);
      after(box);
      open.setAttribute("aria-expanded", "true");
      return area;
    };
    open.addEventListener("click", () => {
      if (!box) show().focus();
      else {
        box.remove();
        box = null;
        open.setAttribute("aria-expanded", "false");
      }
    });
    on.append(open);
    if (remarks.get(about)) show();
  }

  function save() {
    if (!form.reportValidity()) return;
    const comments = [...remarks].filter(([, text]) => text.trim()).map(([about, text]) => {
      const [kind, of] = about.split(":");
      const part = kind === "verdict" ? { verdict: Number(of) } : { section: of };
      return titles.has(about) ? { ...part, title: titles.get(about), text } : { ...part, text };
    });
    const { evidence, gate, reference, referenceEvidence, instances } = form.dataset;
    const beside = { gate, reference, reference_evidence: referenceEvidence, instances };
    const head = { schema: "genrec-eval/review/1", run, estimates, evidence: evidence || null };
    for (const [name, value] of Object.entries(beside)) if (value) head[name] = value;
    const text = JSON.stringify({ ...head, ...fields(), comments }, null, 1) + "\n";
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const who = form.elements.namedItem("reviewer").value.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 40);
    link.download = `review-${run.replace(/[^A-Za-z0-9._-]/g, "")}-${who}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    tell(` Saved as ${link.download}.`);
  }

  restore();
  for (const section of document.querySelectorAll("main section[id]")) {
    const title = section.querySelector("h2");
    if (!title || !form.dataset.sections.split(" ").includes(section.id)) continue;
    offer(`section:${section.id}`, title.textContent, title, (box) => title.after(box));
  }
  for (const row of document.querySelectorAll("[data-verdict]")) {
    const holder = row.matches("tr") ? row.lastElementChild : row;
    const claim = row.querySelector("h3, th");
    offer(`verdict:${row.dataset.verdict}`, (claim || row).textContent.trim(), holder, (box) => holder.append(box));
  }
  form.addEventListener("input", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("review-save").addEventListener("click", save);
  tell();
})();
