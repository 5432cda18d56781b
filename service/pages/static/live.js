// Keeps a page up to date: times in the reader's zone, and what the server says anew.
//
// An element with `data-live` and an id is replaced when the server renders it differently.
// `data-every` asks again after so many ms; `data-events` names a stream of server-sent events:
// progress is shown at once, anything else asks again.

const rendered = new Map();

function zoneTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const form = time.dataset.form === "clock"
      ? { ...clock, second: "2-digit" }
      : { year: "numeric", month: "short", day: "numeric", ...clock };
    time.textContent = at.toLocaleString(undefined, form);
    time.title = at.toISOString();
  }
}

function liveParts(root) {
  return root.querySelectorAll("[data-live][id]");
}

function remember(root) {
  for (const part of liveParts(root)) rendered.set(part.id, part.outerHTML);
}

function nearEnd(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}

function busy(part) {
  return part.querySelector("details.confirm[open]") !== null;
}

function swap(fresh) {
  for (const part of liveParts(fresh)) {
    const old = document.getElementById(part.id);
    if (!old || rendered.get(part.id) === part.outerHTML || busy(old)) continue;
    rendered.set(part.id, part.outerHTML);
    if (part.id === "heading") announce(old, part);
    exchange(old, part);
  }
}

/** Tell a screen reader of a new state, and of nothing else. */
function announce(old, part) {
  const [before, after] = [old, part].map((heading) => heading.querySelector(".state")?.textContent);
  if (before !== after) document.getElementById("announcement").textContent = after;
}

function exchange(old, part) {
  const follow = nearEnd(old), top = old.scrollTop;
  const focused = old.contains(document.activeElement) ? pathTo(old, document.activeElement) : null;
  const open = [...old.querySelectorAll("details")].map((details) => details.open);
  zoneTimes(part);
  old.replaceWith(part);
  part.querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? false; });
  part.scrollTop = follow ? part.scrollHeight : top;
  if (focused) elementAt(part, focused)?.focus({ preventScroll: true });
}

function pathTo(root, element) {
  const path = [];
  for (let here = element; here !== root; here = here.parentElement) {
    path.unshift([...here.parentElement.children].indexOf(here));
  }
  return path;
}

function elementAt(root, path) {
  return path.reduce((here, i) => here?.children[i], root);
}

let asking = false;
let again = false;

async function refresh() {
  if (asking) { again = true; return; }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } else if (answer.redirected || answer.status === 404) {
      location.reload();
    }
  } catch {
    // the server is away; the next round asks again
  } finally {
    asking = false;
    if (again) { again = false; setTimeout(refresh, 250); }
  }
}

function every() {
  const waits = [...document.querySelectorAll("[data-live][data-every]")].map((part) => +part.dataset.every);
  return waits.length ? Math.min(...waits) : null;
}

function schedule() {
  const wait = every();
  if (wait === null) return;
  setTimeout(async () => {
    if (!document.hidden) await refresh();
    schedule();
  }, wait);
}

function words(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 10 && whole % 60) return `${minutes} min ${whole % 60} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function showProgress(data) {
  const bar = document.getElementById("total");
  bar.value = data.job_frames_done;
  document.getElementById("total-done").textContent = data.job_frames_done.toLocaleString("en");
  if (data.seconds_left !== null) document.getElementById("left").textContent = `${words(data.seconds_left)} left`;
  for (const segment of document.querySelectorAll("[data-task]")) {
    const own = segment.dataset.task === data.task ? segment.querySelector("progress") : null;
    if (!own) continue;
    own.value = data.frames_done;
    segment.querySelector(".done").textContent = data.frames_done.toLocaleString("en");
  }
}

function follow(status) {
  const source = new EventSource(status.dataset.events);
  const known = +status.dataset.after;
  source.addEventListener("progress", (event) => {
    if (+event.lastEventId > known) showProgress(JSON.parse(event.data));
  });
  for (const type of ["state", "task", "note"]) {
    source.addEventListener(type, (event) => {
      if (+event.lastEventId > known) refresh();
      if (type === "state" && /SUCCEEDED|FAILED|CANCELLED/.test(JSON.parse(event.data).state)) source.close();
    });
  }
}

remember(document);
zoneTimes(document);
const status = document.querySelector("[data-events]");
if (status) follow(status);
document.getElementById("log")?.scrollTo(0, 1e9);
schedule();
