"use strict";

// 12.34 -> "0:12.3".
function clock(seconds) {
  const tenths = Math.round(seconds * 10);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
}

// Makes one timeline answer; what it says is read from its table.
function startTimeline(root) {
  const find = (selector) => root.querySelector(selector);
  const all = (selector) => [...root.querySelectorAll(selector)];
  const chart = find(".chart");
  const plots = all(".plot").map((element) => ({
    element,
    mark: element.querySelector(".mark"),
    start: Number(element.dataset.start),
    length: Number(element.dataset.length),
  }));
  const segments = all("tbody tr").map((row) => ({
    row,
    start: Number(row.dataset.start),
    end: Number(row.dataset.end),
    cells: row.querySelectorAll(".words ~ td[class]"),
  }));
  const numbers = all(".number");
  const picture = find(".picture");
  const signs = { positive: " pos.", negative: " neg." };
  let current = -1;

  function show(index) {
    if (index === current || !segments[index]) return;
    segments[current]?.row.classList.remove("current");
    current = index;
    const { row, start, end, cells } = segments[index];
    row.classList.add("current");
    find(".time").textContent = `${clock(start)}–${clock(end)}`;
    find("q").textContent = row.querySelector(".words").textContent;
    cells.forEach((cell, column) => {
      const sign = signs[cell.className] ?? "";
      numbers[column].textContent = cell.textContent + sign;
    });
    if (picture) {
      const image = row.querySelector("img");
      picture.hidden = !image;
      if (image) picture.src = image.src;
    }
    for (const plot of plots) {
      const from = Math.max(0, (start - plot.start) / plot.length);
      const to = Math.min(1, (end - plot.start) / plot.length);
      plot.mark.hidden = to <= 0 || from >= 1;
      plot.mark.style.left = `${100 * from}%`;
      plot.mark.style.width = `${100 * (to - from)}%`;
    }
  }

  // The segment at a time, the last to start, or else the nearest.
  function nearest(time) {
    let best = 0;
    let distance = Infinity;
    segments.forEach(({ start, end }, index) => {
      const away = Math.max(start - time, time - end, 0);
      if (away <= distance) [best, distance] = [index, away];
    });
    return best;
  }

  for (const plot of plots) {
    const follow = (event) => {
      const box = plot.element.getBoundingClientRect();
      const share = (event.clientX - box.left) / box.width;
      show(nearest(plot.start + share * plot.length));
    };
    plot.element.addEventListener("pointermove", follow);
    plot.element.addEventListener("pointerdown", follow);
  }

  segments.forEach(({ row }, index) =>
    row.addEventListener("click", () => show(index)));

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

  for (const button of all("[data-toggle]")) {
    const line = `[data-line="${button.dataset.toggle}"]`;
    button.addEventListener("click", () => {
      const hide = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!hide));
      all(line).forEach((part) => part.classList.toggle("off", hide));
    });
    // A name under the pointer or in focus makes its line stand out.
    const others = all(`g[data-line]:not(${line})`);
    const dim = (on) => () =>
      others.forEach((part) => part.classList.toggle("dim", on));
    button.addEventListener("pointerenter", dim(true));
    button.addEventListener("focus", dim(true));
    button.addEventListener("pointerleave", dim(false));
    button.addEventListener("blur", dim(false));
  }

  show(0);
}

document.querySelectorAll(".emt-timeline").forEach(startTimeline);
