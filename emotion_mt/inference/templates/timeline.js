"use strict";
const segments = JSON.parse(document.getElementById("data").textContent);
const chart = document.querySelector(".chart");
const plots = [...chart.querySelectorAll(".plot")].map((element) => ({
  element,
  mark: element.querySelector(".mark"),
  start: Number(element.dataset.start),
  length: Number(element.dataset.length),
}));
let current = -1;

function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
}

function describe(probability) {
  if (probability === null) return "–";
  const answer = probability > 0.5 ? "pos." : "neg.";
  return `${probability.toFixed(2)} ${answer}`;
}

function show(index) {
  if (index === current || !segments[index]) return;
  current = index;
  const { start, end, text, p } = segments[index];
  document.getElementById("time").textContent = `${clock(start)}–${clock(end)}`;
  document.getElementById("text").textContent = text;
  for (const item of document.querySelectorAll("[data-value]")) {
    item.querySelector(".number").textContent = describe(p[item.dataset.value]);
  }
  for (const plot of plots) {
    const from = Math.max(0, (start - plot.start) / plot.length);
    const to = Math.min(1, (end - plot.start) / plot.length);
    plot.mark.hidden = to <= 0 || from >= 1;
    plot.mark.style.left = `${100 * from}%`;
    plot.mark.style.width = `${100 * (to - from)}%`;
  }
}

// The segment at a time, or the nearest to it.
function find(time) {
  let best = 0;
  let distance = Infinity;
  segments.forEach(({ start, end }, index) => {
    const away = Math.max(start - time, time - end, 0);
    if (away < distance) [best, distance] = [index, away];
  });
  return best;
}

for (const plot of plots) {
  const follow = (event) => {
    const box = plot.element.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    show(find(plot.start + share * plot.length));
  };
  plot.element.addEventListener("pointermove", follow);
  plot.element.addEventListener("pointerdown", follow);
}

const moves = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 };
const ends = { Home: 0, End: segments.length - 1 };
chart.addEventListener("keydown", (event) => {
  const moved = current + (moves[event.key] ?? 0);
  const wanted = ends[event.key] ?? moved;
  if (!(event.key in moves || event.key in ends)) return;
  event.preventDefault();
  show(Math.min(Math.max(wanted, 0), segments.length - 1));
  const shown = plots.find((plot) => !plot.mark.hidden);
  shown?.element.scrollIntoView({ block: "nearest" });
});

for (const button of document.querySelectorAll("[data-toggle]")) {
  button.addEventListener("click", () => {
    const hide = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!hide));
    const line = button.dataset.toggle;
    for (const part of document.querySelectorAll(
      `[data-line="${line}"], [data-value="${line}"]`,
    )) {
      part.classList.toggle("off", hide);
    }
  });
}

// A name under the pointer or in focus makes its line stand out.
for (const button of document.querySelectorAll("[data-toggle]")) {
  const others = chart.querySelectorAll(
    `[data-line]:not([data-line="${button.dataset.toggle}"])`,
  );
  const dim = (on) => () => others.forEach((p) => p.classList.toggle("dim", on));
  for (const event of ["pointerenter", "focus"]) {
    button.addEventListener(event, dim(true));
  }
  for (const event of ["pointerleave", "blur"]) {
    button.addEventListener(event, dim(false));
  }
}

show(0);
