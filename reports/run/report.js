"use strict";
// Only adds to the page: whatever it shows can be read without it.
document.documentElement.classList.add("scripted");

// What the address keeps: "#~sort=…&find=…&open=…", beside which ordinary anchors go on working.
const state = {
  read() {
    return new URLSearchParams(location.hash.startsWith("#~") ? location.hash.slice(2) : "");
  },
  write(changes) {
    const kept = state.read();
    for (const [name, value] of Object.entries(changes)) {
      if (value) kept.set(name, value); else kept.delete(name);
    }
    const text = kept.toString();
    if (!text && !location.hash.startsWith("#~")) return; // another anchor stands there
    history.replaceState(null, "", text ? "#~" + text : location.pathname + location.search);
  },
};

// One element with its attributes and text; text of the page is never read as markup.
function make(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}
