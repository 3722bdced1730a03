// How every picture looks and is drawn: colours come from the style sheet, so that they follow the scheme and the printer.
"use strict";
const report = JSON.parse(document.getElementById("data").textContent);
const drawn = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function template() {
  const lines = { gridcolor: colour("rule"), zerolinecolor: colour("rule"), linecolor: colour("quiet"), automargin: true };
  const space = { ...lines, gridcolor: colour("grid"), backgroundcolor: colour("ground"), showbackground: true };
  return { layout: {
    font: { color: colour("ink"), family: "system-ui, DejaVu Sans, sans-serif", size: 12 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", colorway: colour("series").split(" "),
    hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("quiet"), font: { color: colour("ink") }, align: "left" },
    margin: { l: 60, r: 15, t: 15, b: 50 }, xaxis: lines, yaxis: lines,
    scene: { xaxis: space, yaxis: space, zaxis: space },
  } };
}

// `make` gives data and layout afresh, because both hold colours.
function draw(place, make) {
  drawn.set(place, make);
  const { data, layout } = make();
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"] };
  return Plotly.react(place, data, { ...layout, template: template() }, options);
}

function redraw() {
  for (const [place, make] of drawn) {
    if (place.offsetParent) {
      draw(place, make);
      Plotly.Plots.resize(place);
    }
  }
}

function drawFigures(parent) {
  for (const place of parent.querySelectorAll("[data-figure]")) {
    if (!drawn.has(place)) draw(place, () => structuredClone(report.figures[place.dataset.figure]));
  }
}

for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", redraw);
