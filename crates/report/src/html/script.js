// The page is complete without this: it only adds the filter and the large view.
"use strict";

const cards = [...document.querySelectorAll(".card")];
const words = cards.map((card) => {
  const gallery = card.closest(".gallery").querySelector("h3").textContent;
  return (card.textContent + " " + gallery).toLowerCase();
});
const filter = document.getElementById("filter");
const shown = document.getElementById("shown");
const nothing = document.getElementById("nothing");

function apply() {
  const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  cards.forEach((card, index) => {
    card.hidden = !wanted.every((word) => words[index].includes(word));
    count += card.hidden ? 0 : 1;
  });
  for (const gallery of document.querySelectorAll(".gallery")) {
    gallery.hidden = !gallery.querySelector(".card:not([hidden])");
  }
  shown.textContent = wanted.length ? count + " of " + cards.length : "";
  nothing.hidden = count > 0 || cards.length === 0;
}
// `report.html#filter=low-score` can be sent to someone.
filter.value = new URLSearchParams(location.hash.slice(1)).get("filter") ?? filter.value;
filter.addEventListener("input", apply);
apply();

const viewer = document.getElementById("viewer");
const view = document.getElementById("view");
let current = null;

function show(card) {
  current = card;
  const picture = card.querySelector("img").cloneNode();
  const text = card.querySelector(".words").cloneNode(true);
  for (const details of text.querySelectorAll("details")) details.open = true;
  view.replaceChildren(picture, text);
  if (!viewer.open) viewer.showModal();
}

function step(by) {
  const open = cards.filter((card) => !card.hidden && card.querySelector(".open"));
  const next = open[open.indexOf(current) + by];
  if (next) show(next);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".open");
  if (button) show(button.closest(".card"));
  if (event.target === viewer) viewer.close();
});
document.getElementById("previous").addEventListener("click", () => step(-1));
document.getElementById("next").addEventListener("click", () => step(1));
viewer.addEventListener("close", () => current?.querySelector(".open").focus());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (viewer.open && event.key === "ArrowLeft") step(-1);
  if (viewer.open && event.key === "ArrowRight") step(1);
  const typing = event.target.closest("input");
  if (!viewer.open && !typing && event.key === "/") {
    event.preventDefault();
    filter.focus();
  }
});
