"use strict";
// Keeps answers in this browser, shows one item at a time, and saves a file. It sends nothing.
(() => {
  const form = document.getElementById("sheet");
  const items = [...form.querySelectorAll(".item")];
  const groups = [...form.querySelectorAll("fieldset")];
  const { sheet, annotator, rubric, task, answer } = form.dataset;
  const place = `genrec-eval/annotation/${sheet}/${annotator}`;
  const status = document.getElementById("status");
  const button = (id) => document.getElementById(id);
  let at = 0;
  let kept = true; // whether the browser keeps what is said
  let unsaved = false; // whether something was said since the file was last saved

  const fields = (within) => [...within.querySelectorAll("input, textarea")];
  const field = (id) => form.elements.namedItem(id);
  const said = (group) => {
    const found = field(group.dataset.id); // one input, or the radios of a group
    return found ? found.value : "";
  };
  const isOpen = (item) => [...item.querySelectorAll("fieldset")].some((group) => said(group) === "");

  function answers() {
    const found = {};
    for (const group of groups) if (said(group) !== "") found[group.dataset.id] = said(group);
    for (const area of form.querySelectorAll("textarea")) if (area.value.trim()) found[area.name] = area.value;
    return found;
  }

  function restore() {
    let found;
    try {
      found = JSON.parse(localStorage.getItem(place) || "{}");
    } catch {
      kept = false;
      return;
    }
    for (const one of fields(form)) {
      if (!Object.hasOwn(found, one.name)) continue;
      if (one.type === "radio") one.checked = one.value === found[one.name];
      else one.value = found[one.name];
    }
    unsaved = Object.keys(found).length > 0;
  }

  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify(answers()));
    } catch {
      kept = false;
    }
    unsaved = true;
    tell();
  }

  function tell() {
    const done = groups.filter((group) => said(group) !== "").length;
    button("bar").value = done;
    const where = kept ? "kept in this browser" : "not kept by this browser: save before you close it";
    status.textContent = `${done} of ${groups.length} answered, ${where}`;
    button("back").disabled = at === 0;
    button("next").disabled = at === items.length - 1;
    button("open").disabled = !items.some(isOpen);
  }

  function show(next, focus = true) {
    at = Math.min(Math.max(next, 0), items.length - 1);
    items.forEach((item, index) => (item.hidden = index !== at));
    if (focus) {
      items[at].scrollIntoView();
      items[at].focus({ preventScroll: true });
    }
    tell();
  }

  function nextOpen() {
    const order = items.map((_, step) => (at + 1 + step) % items.length);
    const found = order.find((index) => isOpen(items[index]));
    if (found !== undefined) show(found);
  }

  function save() {
    const comment = (id) => field(`${id.split(".")[0]}:comment`).value.trim();
    const rows = groups.map((group) => {
      const id = group.dataset.id;
      return JSON.stringify({ item: id, [answer]: said(group), comment: comment(id) });
    });
    const head = JSON.stringify({ schema: "genrec-eval/annotations/1", sheet, annotator, rubric, task });
    const text = `${head.slice(0, -1)}, "answers": [\n${rows.join(",\n")}\n]}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `${sheet}-${annotator}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    unsaved = false;
    tell();
    status.textContent += `; saved as ${link.download}`;
  }

  function choose(key) {
    const here = [...items[at].querySelectorAll("fieldset")];
    const focused = here.find((group) => group.contains(document.activeElement));
    const group = focused || here.find((one) => said(one) === "") || here[here.length - 1];
    const input = fields(group).find((one) => one.dataset.key === key);
    if (!input) return false;
    input.checked = true;
    keep();
    const next = here[here.indexOf(group) + 1];
    if (next) fields(next)[0].focus(); // the next claim of the same item
    return true;
  }

  form.addEventListener("input", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("click", (event) => {
    if (!event.target.classList.contains("clear")) return;
    for (const one of fields(items[at])) {
      if (one.type === "radio") one.checked = false;
      else one.value = "";
    }
    keep();
  });
  button("back").addEventListener("click", () => show(at - 1));
  button("next").addEventListener("click", () => show(at + 1));
  button("open").addEventListener("click", nextOpen);
  button("save").addEventListener("click", save);
  document.addEventListener("keydown", (event) => {
    const on = event.target;
    const writing = on.matches("textarea, input[type=number]");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !on.matches("textarea, button, summary")) {
      event.preventDefault();
      show(at + (event.shiftKey ? -1 : 1));
    } else if (!writing && choose(event.key.toLowerCase())) {
      event.preventDefault();
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && !kept) event.preventDefault();
  });

  restore();
  show(Math.max(0, items.findIndex(isOpen)), false);
})();
