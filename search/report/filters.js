// Limits hide points in every picture and rows in every table.
"use strict";
const form = document.getElementById("filters");

function limits() {
  return [...form.querySelectorAll("input[data-op]")].flatMap(field => {
    const text = field.value.trim(), value = Number(text.replace("%", "")) / (text.endsWith("%") ? 100 : 1);
    const wrong = text !== "" && Number.isNaN(value);
    field.setAttribute("aria-invalid", String(wrong));
    return text === "" || wrong ? [] : [point => field.dataset.op === ">=" ? point.values[field.name] >= value : point.values[field.name] <= value];
  });
}

function applyLimits() {
  const all = limits(), front = form.elements.front.checked;
  shown = report.points.filter(point => (!front || point.front) && all.every(meets => meets(point)));
  const numbers = new Set(shown.map(point => String(point.number)));
  for (const row of document.querySelectorAll("tr[data-number]")) row.hidden = !numbers.has(row.dataset.number);
  document.getElementById("count").value = `${shown.length} of ${report.points.length} candidates shown`;
  drawPictures();
}

let waiting;
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(applyLimits, 150);
});
form.addEventListener("reset", () => setTimeout(applyLimits));
form.addEventListener("submit", event => event.preventDefault());
