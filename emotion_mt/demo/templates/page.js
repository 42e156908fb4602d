// Gradio runs it once, in the element that holds the timelines; a timeline
// comes with each prediction, and another one of the clip with each rating.
let before = null;

// What the server does not send again, and what the visitor has chosen.
function carry(from, to) {
  const rows = (root) => [...root.querySelectorAll("tbody tr")];
  const toggles = (root) => [...root.querySelectorAll("[data-toggle]")];
  rows(from).forEach((row, index) => {
    const picture = row.querySelector("td:has(img)");
    if (picture) rows(to)[index].append(picture);
  });
  startTimeline(to.querySelector(".emt-timeline"));
  rows(to)[rows(from).findIndex((row) => row.matches(".current"))]?.click();
  for (const button of toggles(from)) {
    if (button.getAttribute("aria-pressed") === "true") continue;
    toggles(to).find((b) => b.textContent === button.textContent)?.click();
  }
  to.querySelector("details").open = from.querySelector("details").open;
  to.querySelector(".scroll").scrollTop = from.querySelector(".scroll").scrollTop;
}

function start() {
  const clip = element.querySelector(".emt-clip");
  if (clip && clip.dataset.clip === before?.dataset.clip) carry(before, clip);
  else if (clip) startTimeline(clip.querySelector(".emt-timeline"));
  before = clip;
}

watch("value", start);
