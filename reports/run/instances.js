// Instances: filters over those in the page, and over the file beside it. Only adds to the page; every text
// goes in as text, and nothing is requested.
(() => {
  "use strict";
  const section = document.getElementById("instances");
  const place = document.getElementById("finder");
  if (!section || !place) return;

  const PAGE = 50;
  const hidden = new RegExp("[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]|\\udb40[\\udc00-\\udc7f]", "g");
  const visible = (text) => String(text).replace(/\r\n/g, "\n").replace(hidden, (sign) => "⟨U+" + sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩");
  const count = (n) => Number(n).toLocaleString("en-US");
  const plural = (n, word) => count(n) + " " + word + (n === 1 ? "" : "s");

  const make = (tag, attributes, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
    for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== "" && child !== false) made.append(child.nodeType ? child : document.createTextNode(visible(child)));
    return made;
  };

  // ---- what is in the page
  const inline = [...section.querySelectorAll("details.inst")].map((node) => ({
    node, status: node.dataset.status, model: node.dataset.model, scenario: node.dataset.scenario, flip: node.dataset.flip || "",
    rank: Number(node.dataset.rank), groups: JSON.parse(node.dataset.groups || "[]").map(visible), text: null,
  }));
  const lists = JSON.parse(section.dataset.lists || "{}");
  const wants = { q: "", status: "", model: "", scenario: "", group: "", flip: "", worst: "" };
  const active = () => Object.values(wants).some(Boolean);

  const fits = (one) =>
    (!wants.status || one.status === wants.status) && (!wants.model || one.model === wants.model) &&
    (!wants.scenario || one.scenario === wants.scenario) && (!wants.group || one.groups.includes(wants.group)) &&
    (!wants.flip || (wants.flip === "any" ? one.flip !== "" : one.flip === wants.flip)) && (!wants.worst || one.rank <= Number(wants.worst));

  // ---- controls
  const fields = {};
  const field = (name, label, control) => { fields[name] = control; control.id = "find-" + name; return make("p", { class: "i-field" }, make("label", { for: control.id }, label), control); };
  const select = (name, label, values, first) => field(name, label, make("select", {}, make("option", { value: "" }, first), values.map(([value, word]) => make("option", { value: visible(value) }, word))));
  const listed = (name, label, first) => { const values = lists[name] || []; return values.length > 1 || name === "status" ? select(name, label, values.map((value) => [value, value]), first) : null; };
  const kinds = [["any", "flipped"], ["status", "another status"], ["gained", "gained"], ["lost", "lost"], ["changed", "changed"]];
  const form = make("form", { role: "search", "aria-label": "Instances", class: "i-finder" },
    field("q", "Search ids, items and texts", make("input", { type: "search", autocomplete: "off", spellcheck: "false" })),
    listed("status", "Status", "every status"), listed("model", "Model", "every model"), listed("scenario", "Scenario", "every scenario"),
    (lists.group || []).length ? select("group", "Group", lists.group.map((value) => [value, value]), "every group") : null,
    lists.flipped ? select("flip", "Flipped", kinds, "flipped or not") : null,
    select("worst", "Worst", [["1", "the worst"], ["10", "10 worst"], ["100", "100 worst"]], "all places"),
    make("p", { class: "i-field" }, make("button", { type: "reset" }, "Show all")));
  const told = make("p", { class: "i-told", role: "status", "aria-live": "polite" });
  const beside = make("div", { class: "i-beside" });
  place.append(form, told, beside);
  form.addEventListener("submit", (event) => event.preventDefault());

  let waiting = 0;
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(read, 120); });
  form.addEventListener("reset", () => setTimeout(read));
  function read() {
    for (const name of Object.keys(wants)) wants[name] = fields[name] ? fields[name].value.trim() : "";
    const said = new URLSearchParams(Object.entries(wants).filter(([, value]) => value)).toString();
    const now = location.hash.startsWith("#instances?");
    if (said || now) history.replaceState(null, "", said ? "#instances?" + said : "#instances");
    apply();
  }
  function fromHash() {
    if (location.hash.startsWith("#instances?")) {
      const said = new URLSearchParams(location.hash.slice(11));
      for (const name of Object.keys(wants)) {
        if (!fields[name]) continue;
        fields[name].value = said.get(name) || "";
        wants[name] = fields[name].value;
      }
      apply();
      section.scrollIntoView();
    } else if (location.hash.startsWith("#i-")) {
      const target = document.getElementById(location.hash.slice(1));
      for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
      if (target) target.scrollIntoView();
    }
  }

  // ---- filter of what is in the page
  function apply() {
    const words = wants.q.toLowerCase();
    let found = 0;
    for (const one of inline) {
      if (words && one.text === null) one.text = one.node.textContent.toLowerCase();
      const shown = fits(one) && (!words || one.text.includes(words));
      one.node.hidden = !shown;
      found += shown;
    }
    for (const rest of section.querySelectorAll("details.i-rest")) {
      const some = rest.querySelector("details.inst:not([hidden])") !== null;
      rest.hidden = !some;
      rest.open = active() && some;
    }
    for (const name of ["i-answers", "i-scene"]) for (const node of section.querySelectorAll("." + name)) node.hidden = active() && node.querySelector("details.inst:not([hidden])") === null;
    told.textContent = active() ? plural(found, "instance") + " of the " + count(inline.length) + " in this page " + (found === 1 ? "fits." : "fit.") : "";
    if (file) search();
  }

  // ---- the file beside the page
  let file = null, run = 0, most = PAGE;
  if (section.dataset.file) {
    const pick = make("input", { type: "file", id: "find-file", accept: ".gz,.jsonl" });
    const said = make("p", { class: "i-told", role: "status", "aria-live": "polite" });
    const bar = make("progress", { max: "1", value: "0", hidden: true, "aria-label": "Reading the file" });
    const stop = make("button", { type: "button", hidden: true }, "Stop");
    const results = make("div", { class: "from-file" });
    const more = make("button", { type: "button", hidden: true }, "Show " + PAGE + " more");
    beside.append(
      make("p", { class: "i-drop" }, make("label", { for: "find-file" }, "Search all " + count(section.dataset.rows) + ": choose ", make("code", {}, section.dataset.file), " or drop it here "), pick),
      make("p", {}, bar, " ", stop), said, results, make("p", {}, more));
    pick.addEventListener("change", () => { if (pick.files.length) take(pick.files[0]); });
    beside.addEventListener("dragover", (event) => event.preventDefault());
    beside.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]); });
    stop.addEventListener("click", () => { run += 1; ended(); said.textContent = "Stopped."; });
    more.addEventListener("click", () => { most += PAGE; search(true); });
    beside.parts = { pick, said, bar, stop, results, more };
  }
  function ended() { const { bar, stop } = beside.parts; bar.hidden = stop.hidden = true; }

  async function take(chosen) {
    const { said, results, more, bar } = beside.parts;
    run += 1;
    file = null;
    results.replaceChildren();
    more.hidden = true;
    said.textContent = "Checking the file.";
    try {
      const head = await first(chosen);
      if (head.schema !== "genrec-eval/instances/1") throw new Error("This is no file of instances that this report can read.");
      if (head.run !== section.dataset.run) throw new Error("This file belongs to run " + visible(head.run) + ", and this report is of run " + section.dataset.run + ".");
      if (head.key !== section.dataset.key) throw new Error("This file was written with another version of the report of this run: its figures differ.");
      if (crypto.subtle && chosen.size < 5e8 && chosen.name.endsWith(".gz")) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await chosen.arrayBuffer()));
        const text = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        if (text !== section.dataset.sha256) throw new Error("The content of this file is not what was written with this report.");
      }
    } catch (error) {
      bar.hidden = true;
      said.textContent = error instanceof SyntaxError || error instanceof TypeError ? "This is no file of instances, or it is damaged." : error.message;
      return;
    }
    file = chosen;
    search();
  }

  // lines of the file, unpacked as it is read
  async function* lines(chosen, progress) {
    let stream = chosen.stream();
    let seen = 0;
    stream = stream.pipeThrough(new TransformStream({ transform(chunk, out) { seen += chunk.byteLength; if (progress) progress(seen / chosen.size); out.enqueue(chunk); } }));
    const magic = new Uint8Array(await chosen.slice(0, 2).arrayBuffer());
    if (magic[0] === 31 && magic[1] === 139) {
      if (!("DecompressionStream" in window)) throw new Error("This browser cannot unpack the file; unpack it with gunzip and choose what comes out.");
      stream = stream.pipeThrough(new DecompressionStream("gzip"));
    }
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let parts = [];
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        let start = 0;
        for (let end = value.indexOf("\n"); end >= 0; end = value.indexOf("\n", start)) {
          parts.push(value.slice(start, end));
          yield parts.length > 1 ? parts.join("") : parts[0];
          parts = [];
          start = end + 1;
        }
        if (start < value.length) parts.push(value.slice(start));
      }
      if (parts.length) yield parts.join("");
    } finally { reader.cancel().catch(() => {}); }
  }
  async function first(chosen) { for await (const line of lines(chosen)) return JSON.parse(line); throw new SyntaxError("empty"); }

  async function search(keep) {
    const { said, bar, stop, results, more } = beside.parts;
    const mine = ++run;
    if (!keep) most = PAGE;
    if (!active()) { results.replaceChildren(); more.hidden = true; ended(); said.textContent = "The file belongs to this report. Search or filter above to see what is in it."; return; }
    bar.hidden = stop.hidden = false;
    bar.value = 0;
    said.textContent = "Searching the file.";
    const words = wants.q.toLowerCase();
    const cards = [];
    let scene = null, titles = new Map(), named = new Set(), found = 0, passed = 0;
    try {
      for await (const line of lines(file, (share) => { bar.value = share; })) {
        if (mine !== run) return;
        if (line.startsWith('{"scene":')) { scene = JSON.parse(line); titles = new Map(); named = new Set(); continue; }
        if (line.startsWith('{"titles":')) {
          for (const [id, title] of JSON.parse(line).titles) { titles.set(id, title); if (words && title.toLowerCase().includes(words)) named.add(id); }
          continue;
        }
        if (line.startsWith('{"schema":')) continue;
        passed += 1;
        const near = !words || named.size > 0 || line.toLowerCase().includes(words) || /[^\x20-\x7e]|["\\]/.test(words);
        if (!near) continue;
        const row = JSON.parse(line);
        const one = { status: visible(row.status), model: visible(scene.models[row.model]), scenario: visible(scene.name), flip: row.flip ? row.flip.kind : "", rank: row.rank,
          groups: scene.groups.map((name, at) => visible(name + "=" + row.groups[at])) };
        if (!fits(one) || (words && !holds(row, one, words, named, scene))) continue;
        found += 1;
        if (cards.length < most) cards.push(card(row, scene, titles));
      }
    } catch (error) {
      if (mine !== run) return;
      ended();
      said.textContent = error instanceof SyntaxError || error instanceof TypeError ? "The file is damaged after " + plural(passed, "instance") + "." : error.message;
      return;
    }
    if (mine !== run) return;
    results.replaceChildren(...cards);
    more.hidden = found <= cards.length;
    ended();
    said.textContent = plural(found, "instance") + " of the " + count(passed) + " in the file " + (found === 1 ? "fits" : "fit") + (found > cards.length ? "; the first " + count(cards.length) + " are shown." : ".");
  }
  function holds(row, one, words, named, scene) {
    let there = [one.model, one.status, one.scenario, ...one.groups].some((text) => text.toLowerCase().includes(words));
    const walk = (value) => {
      if (there) return;
      if (typeof value === "string") there = value.toLowerCase().includes(words) || named.has(value);
      else if (Array.isArray(value)) value.forEach(walk);
      else if (value && typeof value === "object") Object.values(value).forEach(walk);
    };
    walk(row);
    return there;
  }

  // ---- an instance of the file, as the page shows its own
  const digits = (value) => { if (value === 0) return "0"; const text = Number(Number(value).toPrecision(4)); return (Math.abs(text) >= 1e-6 ? text.toLocaleString("en-US", { maximumFractionDigits: 6 }) : String(text)).replace("-", "−"); };
  const score = (value, unit) => value === null || value === undefined ? "not measured" : typeof value !== "number" ? "none: " + String(value).replace(/-/g, " ") : unit === "share" ? digits(value * 100) + " %" : digits(value);
  const label = (...text) => make("p", { class: "i-lab" }, ...text);
  const bdi = (text) => make("bdi", {}, text);
  const note = (text) => make("p", { class: "note" }, text);
  const rest = (left, what) => left > 0 ? note(count(left) + " more " + what) : null;
  const longer = ([text, left]) => text + (left ? " … " + count(left) + " more characters" : "");
  function foldAt(text) {
    let at = -1;
    for (let n = 0; n < 8; n += 1) { at = text.indexOf("\n", at + 1); if (at < 0) break; }
    const limit = Math.min(520, at >= 0 ? at : text.length);
    if (text.length - limit < 80 && at < 0) return text.length;
    const space = Math.max(text.lastIndexOf(" ", limit - 1), text.lastIndexOf("\n", limit - 1));
    return space + 1 > limit / 2 ? space + 1 : limit;
  }
  function quoted([text, left], who) {
    const at = foldAt(text);
    return make("blockquote", { class: "prose-quote", dir: "auto", "aria-label": "Quoted output of " + visible(who) }, make("p", {}, text.slice(0, at)),
      at < text.length ? make("details", {}, make("summary", {}, count(text.length - at) + " more characters"), make("p", {}, text.slice(at))) : null,
      left > 0 ? note(count(left) + " more characters are not quoted.") : null);
  }
  function items(ids, titles, hits, others, turn) {
    return make("ol", { class: "i-list" }, ids.map((id, at) => {
      const title = titles.get(id);
      const hit = (hits || []).includes(at + 1);
      const name = [bdi(title || id), title ? [" ", make("code", {}, bdi(id))] : null];
      const said = turn && turn.mentions ? turn.mentions[at] : null;
      const tier = turn && turn.grounding ? turn.grounding[at] : null;
      return make("li", { class: hit ? "i-hit" : undefined }, others && !others.has(id) ? make("ins", {}, name) : name,
        said && said !== title && said !== id ? make("small", {}, " written ", make("q", {}, bdi(said))) : null,
        tier ? make("small", {}, " " + (tier === "none" ? "not matched" : tier)) : null, hit ? make("span", { class: "tag" }, " wanted") : null);
    }));
  }
  function asked(from, titles) {
    const facts = [from.user !== undefined ? "user " + from.user : "", from.k !== undefined ? plural(from.k, "item") + " asked for" : "",
      from.candidates !== undefined ? "out of " + plural(from.candidates, "candidate") : "", from.rate ? "to rate " + plural(from.rate.length, "item") + (from.rate.length >= 25 ? " and more" : "") : "",
      from.profile ? "profile " + longer(from.profile) : ""].filter(Boolean).join("; ");
    const past = from.history ? (from.of ? "History of " + plural(from.of, "item") + (from.of > from.history.length ? ", the latest:" : ":") : "No history.") : "";
    const messages = [...(from.messages || []), ...(from.raw ? [["request", ...from.raw]] : [])];
    return [facts ? make("p", {}, bdi(facts)) : null, past ? make("p", {}, past) : null, from.history && from.history.length ? items(from.history, titles) : null,
      from.above ? note("The conversation goes on after " + from.above + " messages.") : null, from.skipped > 0 ? note(from.skipped + " earlier messages are not quoted.") : null,
      messages.map(([role, text, left]) => [make("small", {}, bdi(role)), quoted([text, left], "the request")])];
  }
  function answered(turn, row, titles, model, others) {
    const parts = [turn.error ? make("p", {}, longer(turn.error)) : null];
    if (turn.items) {
      parts.push(turn.items.length ? items(turn.items, titles, turn.hits, others, turn) : note("An empty list."), rest(turn.of - turn.items.length, "items."));
      if (row.wanted) parts.push(note(turn.hits ? "Found at place " + turn.hits.join(", ") + "." : "None of what was wanted is in it."));
    }
    if (turn.ratings) {
      const names = (turn.asked || row.asked || {}).rate || [];
      parts.push(make("table", { class: "list" }, make("thead", {}, make("tr", {}, ["item", "predicted", "true"].map((word, at) => make("th", { scope: "col", class: at ? "num" : undefined }, word)))),
        make("tbody", {}, turn.ratings.map((value, at) => make("tr", {}, make("th", { scope: "row" }, bdi(titles.get(names[at]) || names[at] || "")), make("td", { class: "num" }, value === null ? "—" : digits(value)),
          make("td", { class: "num" }, turn.true && turn.true[at] !== null && turn.true[at] !== undefined ? digits(turn.true[at]) : ""))))), rest(turn.of - turn.ratings.length, "ratings."));
    }
    if (turn.text) parts.push(quoted(turn.text, model));
    if (turn.raw) parts.push(make("small", {}, "What came, and could not be read as an answer"), quoted(turn.raw, model));
    if (turn.blob) parts.push(note("An image, blobs/" + turn.blob + " of the run."));
    return parts.some(Boolean) ? parts : [note("Nothing came.")];
  }
  function heading(turn, row) {
    const steps = [turn.repeat ? "repeat " + (turn.repeat + 1) : "", turn.step ? "step " + (turn.step + 1) : ""].filter(Boolean);
    const seconds = turn.seconds === undefined ? "" : turn.seconds < 1 ? digits(Number((turn.seconds * 1000).toPrecision(3))) + " ms" : digits(Number(turn.seconds.toPrecision(3))) + " s";
    const tokens = turn.input_tokens !== undefined || turn.output_tokens !== undefined ? (turn.input_tokens === undefined ? "—" : count(turn.input_tokens)) + " tokens in, " + (turn.output_tokens === undefined ? "—" : count(turn.output_tokens)) + " out" : "";
    return [...steps, turn.status !== row.status || steps.length ? turn.status : "", turn.attempts ? turn.attempts + " attempts" : "", seconds, tokens, turn.cost !== undefined ? "$" + Number(turn.cost).toPrecision(3) : ""].filter(Boolean).join(" · ");
  }
  // words that the other text has no place for, by the longest common subsequence
  function changed(text, other) {
    const cut = (all) => all.slice(0, 3000).match(/\s+|[^\s]+/g) || [];
    const mine = cut(text), theirs = cut(other);
    if (mine.length * theirs.length > 1e6) return [make("ins", {}, text)];
    const width = theirs.length + 1, best = new Uint16Array((mine.length + 1) * width);
    for (let i = mine.length - 1; i >= 0; i -= 1) for (let j = theirs.length - 1; j >= 0; j -= 1) best[i * width + j] = mine[i] === theirs[j] ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
    const parts = [];
    const add = (word, isNew) => { const last = parts[parts.length - 1]; if (last && last[1] === isNew) last[0] += word; else parts.push([word, isNew]); };
    for (let i = 0, j = 0; i < mine.length;) {
      if (j < theirs.length && mine[i] === theirs[j]) { add(mine[i], false); i += 1; j += 1; } else if (j < theirs.length && best[i * width + j + 1] > best[(i + 1) * width + j]) j += 1; else { add(mine[i], true); i += 1; }
    }
    return parts.map(([word, isNew]) => isNew && word.trim() ? make("ins", {}, word) : word);
  }
  function side(who, one, other, titles) {
    const others = new Set(other.items || []);
    return make("div", {}, label(bdi(who), ": ", make("span", { class: "status" }, one.status)), one.error ? make("p", {}, longer(one.error)) : null,
      one.items && one.items.length ? [items(one.items, titles, one.hits, others), rest((one.of || 0) - one.items.length, "items.")] : null,
      one.text ? make("blockquote", { class: "prose-quote", dir: "auto", "aria-label": "Quoted output of " + visible(who) }, make("p", {}, changed(one.text[0], other.text ? other.text[0] : ""))) : null,
      !one.error && !one.text && !(one.items && one.items.length) ? note("Nothing came.") : null);
  }
  function card(row, scene, titles) {
    const model = scene.models[row.model];
    const groups = scene.groups.map((name, at) => row.groups[at] === null ? "" : name + "=" + row.groups[at]).filter(Boolean);
    const main = scene.main === null ? null : scene.metrics[scene.main];
    const tags = [model, scene.name, main && row.scores.length ? main[1] + " " + score(row.scores[scene.main], main[2]) : "",
      row.flip ? (row.flip.kind === "status" ? "another status" : row.flip.kind) + " against " + scene.against : "", row.rank <= 10 ? (row.rank > 1 ? "worst " + row.rank : "the worst") : ""].filter(Boolean);
    const made = make("details", { class: "inst" }, make("summary", {}, make("span", { class: "status" }, row.status), " ", bdi(row.case), " ", make("span", { class: "tag" }, tags.join(" · "))));
    made.addEventListener("toggle", () => { if (made.open && made.children.length === 1) made.append(...inside(row, scene, titles, model, groups)); });
    return made;
  }
  function inside(row, scene, titles, model, groups) {
    const parts = [make("p", { class: "meta" }, [row.unit ? "unit " + row.unit : "", row.arm ? "arm " + row.arm : "", ...groups, model + " in " + scene.name].filter(Boolean).map((text, at) => [at ? " · " : null, bdi(text)]))];
    if (row.before) {
      const now = { ...(row.turns[0] || {}), status: row.status };
      parts.push(label("Flipped: ", row.flip.said.map((text, at) => [at ? "; " : null, bdi(text)])), make("div", { class: "i-two i-flip" }, side(row.before.who, row.before, now, titles), side(model, now, row.before, titles)));
    }
    row.turns.forEach((turn, at) => {
      const head = heading(turn, row);
      const from = turn.asked || (at === 0 ? row.asked : null);
      parts.push(head ? make("p", { class: "i-lab i-turn" }, head) : null, make("div", { class: "i-two" },
        make("div", {}, label("Asked"), turn.again ? note("The same as above.") : null, from ? asked(from, titles) : null,
          at === 0 && row.wanted ? [label("Wanted"), items(row.wanted, titles), rest(row.wanted_of - row.wanted.length, "items.")] : null, !from && !turn.again && !(at === 0 && row.wanted) ? note("Not kept.") : null),
        make("div", {}, label("Answered"), answered(turn, row, titles, model, row.before && row.before.items ? new Set(row.before.items) : null))));
    });
    if (row.more > 0) parts.push(note(row.more + " more exchanges are not quoted."));
    if (row.said) parts.push(label("Judged"), make("ul", { class: "said" }, row.said.map((one) => make("li", {}, make("strong", {}, bdi(one.judge)), " on " + one.asked + ": " + one.verdict + (one.step ? " (step " + (one.step + 1) + ")" : ""),
      one.claims.length ? make("details", {}, make("summary", {}, "claim by claim"), make("ul", { class: "not" }, one.claims.map(([claim, verdict]) => make("li", {}, make("q", {}, bdi(claim)), ": " + verdict)))) : null,
      one.raw.length ? make("details", {}, make("summary", {}, "what it wrote"), one.raw.map(([which, text]) => [which ? make("small", {}, which) : null, make("blockquote", { "aria-label": "Quoted output of judge " + visible(one.judge) }, make("pre", { dir: "auto" }, text))])) : null))));
    if (row.scores.length) parts.push(make("details", { class: "unit-scores" }, make("summary", {}, "Scores of this unit"), make("dl", { class: "i-scores" }, scene.metrics.map(([, title, unit], at) => [make("dt", {}, title), make("dd", {}, score(row.scores[at], unit))]))));
    return parts.filter(Boolean);
  }

  addEventListener("hashchange", fromHash);
  fromHash();
})();
