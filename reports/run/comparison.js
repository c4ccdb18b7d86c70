"use strict";
// Search among the flips; what is shown of which kind is the style sheet's.
for (const box of document.querySelectorAll(".flips")) {
  const field = box.querySelector("input[type=search]");
  const said = box.querySelector("output");
  const flips = [...box.querySelectorAll(".flip")].map((flip) => [flip, flip.textContent.toLowerCase()]);
  box.querySelector(".find").hidden = false;
  field.addEventListener("input", () => {
    const wanted = field.value.trim().toLowerCase();
    let found = 0;
    for (const [flip, text] of flips) {
      flip.hidden = wanted !== "" && !text.includes(wanted);
      found += flip.hidden ? 0 : 1;
    }
    said.textContent = wanted === "" ? "" : `${found} of ${flips.length} hold it`;
  });
}
