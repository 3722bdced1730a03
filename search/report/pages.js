// The marked candidate: in every picture, in the tables, and its page.
"use strict";
const bar = document.getElementById("marked");

function openPage(number, scroll) {
  marked = pointOf.has(number) ? number : null;
  for (const page of document.querySelectorAll(".page")) page.classList.toggle("open", page.dataset.number === String(marked));
  for (const row of document.querySelectorAll("tr[data-number]")) row.classList.toggle("marked", row.dataset.number === String(marked));
  bar.hidden = marked === null;
  drawMarked(true);
  if (marked === null) return;
  const page = document.getElementById("candidate-" + marked), link = bar.querySelector("a");
  link.textContent = `#${marked} ${pointOf.get(marked).candidate}`;
  link.href = "#" + page.id;
  drawFigures(page);
  if (scroll) page.scrollIntoView();
}

function numberIn(event) {
  return event.points.map(point => point.customdata).find(number => number !== undefined && number !== null);
}

// While it is pointed at: not a mark of its own.
function pointAt(number) {
  const kept = marked;
  marked = number ?? kept;
  drawMarked(false);
  marked = kept;
}

for (const [place] of pictures) {
  draw(place, pictures.get(place));
  place.on("plotly_click", event => {
    const number = numberIn(event);
    if (number === undefined) return;
    history.replaceState(null, "", "#candidate-" + number);
    openPage(number, false);
  });
  place.on("plotly_hover", event => pointAt(numberIn(event)));
  place.on("plotly_unhover", () => pointAt(null));
}
for (const choice of document.querySelectorAll(".axis")) {
  choice.addEventListener("change", () => {
    spaceAxes = [...document.querySelectorAll(".axis")].map(one => one.value);
    drawPictures();
  });
}
function follow() {
  const match = /^#candidate-(\d+)$/.exec(location.hash);
  openPage(match ? Number(match[1]) : null, Boolean(match));
}
addEventListener("hashchange", follow);
bar.querySelector("a").addEventListener("click", () => document.getElementById("candidate-" + marked).scrollIntoView());
bar.querySelector("button").addEventListener("click", () => {
  history.replaceState(null, "", location.pathname + location.search);
  openPage(null, false);
});
for (const section of document.querySelectorAll("main > section")) drawFigures(section);
if (spacePlace) turnSpace();
follow();
