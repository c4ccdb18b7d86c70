"use strict";
// Only adds to the page: whatever it shows can be read without it.
document.documentElement.classList.add("scripted");
