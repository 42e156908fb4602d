// The cursor of the timeline. Runs once when the page is loaded; `element` and
// `trigger` are Gradio's. What Python draws anew is found at each event.
let pinned = null; // {time, row}: where the cursor stays
let asked = ""; // what the frame shows or will show
let timer = 0;

const plot = () => element.querySelector(".emt-plot");
const segments = () => JSON.parse(plot().dataset.segments);
const clock = (s) => {
  const tenths = Math.round(s * 10);
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return `${Math.floor(tenths / 600)}:${rest}`;
};

const rowAt = (time) => segments().findLastIndex(
  ([start, end]) => start <= time && time < end);

function show(moment) {
  const box = plot();
  if (!box || !moment) return;
  const row = moment.row ?? rowAt(moment.time);
  const [start, end] = [Number(box.dataset.start), Number(box.dataset.end)];
  const share = Math.min(1, Math.max(0, (moment.time - start) / (end - start)));
  const cursor = box.querySelector(".emt-cursor");
  cursor.style.left = `${100 * share}%`;
  cursor.classList.toggle("emt-left", share > 0.8);
  cursor.firstElementChild.textContent = clock(moment.time);
  box.setAttribute("aria-valuenow", moment.time.toFixed(1));
  box.setAttribute("aria-valuetext", clock(moment.time));
  element.querySelectorAll("tr[data-row]").forEach((line) => {
    line.classList.toggle("emt-current", Number(line.dataset.row) === row);
  });
  const wanted = JSON.stringify([moment.time, row]);
  if (wanted === asked) return;
  asked = wanted;
  clearTimeout(timer);
  timer = setTimeout(
    () => trigger("select", { time: moment.time, row: row }), 40);
}

function pin(moment) {
  pinned = moment;
  show(moment);
}

function pinRow(row) {
  const [start, end] = segments()[row];
  pin({ time: (start + end) / 2, row: row });
  // A long film is wider than the page.
  const wide = element.querySelector(".emt-wide");
  const x = element.querySelector(".emt-cursor").offsetLeft;
  if (x < wide.scrollLeft || x > wide.scrollLeft + wide.clientWidth)
    wide.scrollLeft = x - wide.clientWidth / 2;
}

function timeAt(event) {
  const box = plot();
  const area = box.getBoundingClientRect();
  const [start, end] = [Number(box.dataset.start), Number(box.dataset.end)];
  const share = (event.clientX - area.left) / area.width;
  return start + Math.min(1, Math.max(0, share)) * (end - start);
}

element.addEventListener("pointermove", (event) => {
  // A finger that moves scrolls; it points by a tap.
  if (event.pointerType !== "touch" && event.target.closest(".emt-plot"))
    show({ time: timeAt(event) });
});
element.addEventListener("pointerout", (event) => {
  const to = event.relatedTarget;
  if (event.target.closest(".emt-plot") && !to?.closest?.(".emt-plot"))
    show(pinned);
});
element.addEventListener("click", (event) => {
  if (event.target.closest(".emt-plot")) pin({ time: timeAt(event) });
  const line = event.target.closest("tr[data-row]");
  if (line && plot()) pinRow(Number(line.dataset.row));
});
element.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.closest(".emt-plot")) return;
  event.preventDefault();
  const times = segments();
  const row = pinned?.row ?? times.findIndex(([, end]) => end > pinned?.time);
  pinRow(Math.min(times.length - 1, Math.max(0, row + step)));
});
element.addEventListener("change", (event) => {
  const name = event.target.dataset.viewer;
  element.querySelectorAll("g.emt-line").forEach((line) => {
    if (line.dataset.viewer === name)
      line.style.display = event.target.checked ? "" : "none";
  });
});

function start() {
  if (!plot() || !segments().length) return;
  asked = "";
  pinRow(0);
}
watch("value", start);
start();
