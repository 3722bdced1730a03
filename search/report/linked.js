// The linked pictures of the front: in space, from every side, and in parallel coordinates.
"use strict";
const axisOf = new Map(report.axes.map(axis => [axis.name, axis]));
const pointOf = new Map(report.points.map(point => [point.number, point]));
const symbols = { ok: "circle", suspect: "square", masked: "circle-open" };
let shown = report.points, marked = null, spaceAxes = report.axes.slice(0, 3).map(axis => axis.name);

// Round numbers, more of them to a decade where there are few decades.
function roundTicks(values) {
  const low = Math.min(...values) / 2, high = Math.max(...values) * 2, decades = Math.log10(high / low);
  const digits = decades < 1.6 ? [1, 1.5, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: 40 }, (_, i) => 10 ** (i - 15));
  return powers.flatMap(power => digits.map(digit => digit * power)).filter(tick => low <= tick && tick <= high);
}

function axisLayout(name) {
  const axis = axisOf.get(name), title = { text: axis.title };
  if (axis.fraction) return { title, tickformat: ".0%" };
  return { title, type: "log", tickformat: "~s", tickvals: roundTicks(report.points.map(point => point.values[name])) };
}

function dots(type, names, points, kind, sizes) {
  const trace = {
    type, mode: "markers", name: kind, customdata: points.map(one => one.number), text: points.map(one => one.hover),
    hovertemplate: "%{text}<extra></extra>", marker: {
      size: sizes[kind], color: points.map(one => colour(one.chosen ? "chosen" : kind)),
      symbol: points.map(one => symbols[one.look]), opacity: 1, line: { width: 1, color: colour("ground") },
    },
  };
  names.forEach((name, i) => { trace["xyz"[i]] = points.map(one => one.values[name]); });
  return trace;
}

function bars(points, name) {
  const [down, up] = [0, 1].map(end => points.map(one => Math.abs(one.intervals[name][end] - one.values[name])));
  return { type: "data", symmetric: false, array: up, arrayminus: down, thickness: 1, width: 0, color: colour("quiet") };
}

// The marked one: in space a trace of its own; elsewhere a shape, which is drawn without all the points.
function ring() {
  const point = pointOf.get(marked), trace = { type: "scatter3d", mode: "markers", hoverinfo: "skip" };
  spaceAxes.forEach((name, i) => { trace["xyz"[i]] = point ? [point.values[name]] : []; });
  return { ...trace, marker: { size: 17, color: colour("ink"), symbol: "circle-open", line: { width: 3, color: colour("ink") } } };
}

// In pixels around its point; plotly's own circles go wrong on logarithmic axes.
const round = [...Array(24).keys()].map(i => `${i ? "L" : "M"}${9 * Math.cos(i * Math.PI / 12)},${9 * Math.sin(i * Math.PI / 12)}`).join("") + "Z";

function planeShapes(names) {
  const point = pointOf.get(marked), line = { width: 3, color: colour("ink") };
  const frame = { type: "path", path: round, xsizemode: "pixel", ysizemode: "pixel", line };
  return [...limitLines(names), ...(point ? [{ ...frame, xanchor: point.values[names[0]], yanchor: point.values[names[1]] }] : [])];
}

function parallelShapes() {
  const heights = report.parallel.heights[marked], axes = report.parallel.axes.map((_, i) => (
    { type: "line", x0: i, x1: i, y0: 0, y1: 1, line: { width: 1, color: colour("quiet") }, layer: "below" }));
  const path = heights?.map((y, i) => `${i ? "L" : "M"}${i},${y}`).join("");
  return path ? [...axes, { type: "path", path, line: { width: 4, color: colour("ink") } }] : axes;
}

function traces(type, names, sizes) {
  const [front, other] = [true, false].map(on => shown.filter(one => one.front === on));
  const found = [dots(type, names, other, "other", sizes), dots(type, names, front, "front", sizes)];
  if (type === "scatter3d") return [...found, ring()];
  names.forEach((name, i) => { found[1]["error_" + "xy"[i]] = bars(front, name); });
  return found;
}

function limitLines(names) {
  return report.limits.flatMap(([name, , value]) => names.indexOf(name) < 0 ? [] : [names[0] === name
    ? { type: "line", x0: value, x1: value, yref: "paper", y0: 0, y1: 1, line: { dash: "dot", width: 1, color: colour("quiet") } }
    : { type: "line", y0: value, y1: value, xref: "paper", x0: 0, x1: 1, line: { dash: "dot", width: 1, color: colour("quiet") } }]);
}

function plane(names) {
  return { data: traces("scatter", names, { other: 6, front: 10 }), layout: {
    showlegend: false, hovermode: "closest", xaxis: axisLayout(names[0]), yaxis: axisLayout(names[1]), shapes: planeShapes(names) } };
}

function space() {
  const [x, y, z] = spaceAxes.map(name => ({ ...axisLayout(name), title: { text: name } }));
  return { data: traces("scatter3d", spaceAxes, { other: 5, front: 8 }), layout: {
    showlegend: false, uirevision: spaceAxes.join(), margin: { l: 0, r: 0, t: 0, b: 0 },
    scene: { xaxis: x, yaxis: y, zaxis: z, aspectmode: "cube", camera: { eye: { x: -1.45, y: -1.5, z: 0.7 }, center: { x: 0, y: 0, z: -0.1 } } } } };
}

function lineThrough(points, look) {
  const gaps = list => points.flatMap(one => [...list(one), null]), width = report.parallel.axes.length;
  return {
    type: "scatter", mode: "lines+markers", line: { width: look.width, color: look.color }, marker: { size: look.size, color: look.color },
    opacity: look.opacity ?? 1, x: gaps(() => [...Array(width).keys()]), y: gaps(one => report.parallel.heights[one.number]),
    customdata: gaps(one => Array(width).fill(one.number)), text: gaps(one => Array(width).fill(one.hover)),
    hovertemplate: "%{text}<extra></extra>",
  };
}

function parallel() {
  const axes = report.parallel.axes, of = test => shown.filter(test);
  const ticks = axes.flatMap((axis, i) => axis.ticks.map(([y, text]) => ({
    x: i, y, text, showarrow: false, xanchor: "right", xshift: -5, font: { size: 10, color: colour("quiet") }, bgcolor: colour("ground") })));
  return { data: [
    lineThrough(of(one => !one.front), { width: 1, size: 3, color: colour("other"), opacity: 0.6 }),
    lineThrough(of(one => one.front && !one.chosen), { width: 2, size: 5, color: colour("front") }),
    lineThrough(of(one => one.chosen), { width: 3, size: 6, color: colour("chosen") }),
  ], layout: {
    showlegend: false, hovermode: "closest", annotations: ticks, margin: { l: 45, r: 30, t: 40, b: 15 },
    xaxis: { side: "top", tickvals: axes.map((_, i) => i), ticktext: axes.map(axis => axis.title), range: [-0.3, axes.length - 0.7], showgrid: false, zeroline: false, fixedrange: true },
    yaxis: { visible: false, range: [-0.06, 1.06], fixedrange: true },
    shapes: parallelShapes() } };
}

function hasWebGL() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
}

const pictures = new Map(report.pairs.map((names, i) => [document.getElementById("plane-" + i), () => plane(names)]));
const spacePlace = document.getElementById("space");
if (spacePlace && hasWebGL()) pictures.set(spacePlace, space);
else if (spacePlace) {
  for (const id of ["space", "turn"]) document.getElementById(id).hidden = true;
  for (const label of document.querySelectorAll(".axis")) label.parentElement.hidden = true;
  document.getElementById("flat").hidden = false;
}
pictures.set(document.getElementById("parallel"), parallel);

function drawPictures() {
  for (const [place, make] of pictures) draw(place, make);
}

// Without drawing the points again; in space only where `deep` says so, because that is slow with many points.
function drawMarked(deep) {
  report.pairs.forEach((names, i) => Plotly.relayout("plane-" + i, { shapes: planeShapes(names) }));
  Plotly.relayout("parallel", { shapes: parallelShapes() });
  if (deep && pictures.has(spacePlace)) draw(spacePlace, space);
}

function turnSpace() {
  const button = document.getElementById("turn");
  let angle = -2.3;
  function step() {
    if (button.getAttribute("aria-pressed") !== "true") return;
    angle += 0.01;
    Plotly.relayout(spacePlace, { "scene.camera.eye": { x: 2.1 * Math.cos(angle), y: 2.1 * Math.sin(angle), z: 0.7 } });
    requestAnimationFrame(step);
  }
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    step();
  });
}
