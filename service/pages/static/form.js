// The form of a job. Every input stands at a JSON pointer of one document; the server renders the
// fields, checks the document, and says by pointers what is wrong with it.

import { put, takeOut, typed } from "./document.js";

const form = document.getElementById("job");
const text = document.getElementById("text");
const submitButton = document.getElementById("submit");
const estimateButton = document.getElementById("estimate");
const told = document.getElementById("told");
const faultBox = document.getElementById("faults");

let mode = "form";
let attempt = null; // {body, key}: the same job sent again keeps its idempotency key

function gather() {
  const whole = JSON.parse(document.getElementById("fields").dataset.document);
  for (const input of form.querySelectorAll("[data-pointer]")) {
    const value = typed(input.value, input.dataset.type);
    if (value === undefined) takeOut(whole, input.dataset.pointer);
    else put(whole, input.dataset.pointer, value);
  }
  return whole;
}

function request() {
  return mode === "form"
    ? { body: JSON.stringify(gather()), type: "application/json" }
    : { body: text.value, type: "application/yaml" };
}

async function send(address, { body, type }, headers = {}) {
  const answer = await fetch(address, { method: "POST", body, headers: { "Content-Type": type, ...headers } });
  const isJson = /json/.test(answer.headers.get("Content-Type") ?? "");
  return { ok: answer.ok, status: answer.status, data: isJson ? await answer.json() : await answer.text() };
}

// --- which fields there are ---

async function edit(change) {
  const answer = await send("/jobs/new/form", { body: JSON.stringify({ document: gather(), ...change }), type: "application/json" });
  if (!answer.ok) { tell(answer.data.detail ?? "The form could not be changed."); return; }
  const open = new Map([...form.querySelectorAll("[data-details]")].map((part) => [part.dataset.details, part.open]));
  document.getElementById("form-view").innerHTML = answer.data;
  for (const part of form.querySelectorAll("[data-details]")) part.open = open.get(part.dataset.details) ?? part.open;
  await check();
}

form.addEventListener("click", async (event) => {
  const { add, remove, mode: wanted } = event.target.dataset;
  if (add !== undefined) {
    await edit({ do: "add", pointer: add, kind: event.target.value });
    const items = form.querySelectorAll(`[data-at="${CSS.escape(add)}"] > .item`);
    const last = items[items.length - 1];
    if (last) last.open = true;
    last?.querySelector("input, select")?.focus();
  } else if (remove !== undefined) {
    const list = remove.slice(0, remove.lastIndexOf("/"));
    await edit({ do: "remove", pointer: remove });
    form.querySelector(`[data-add="${CSS.escape(list)}"]`)?.focus();
  } else if (wanted !== undefined && wanted !== mode) {
    await switchTo(wanted);
  }
});

form.addEventListener("change", async (event) => {
  const { kind, pointer, upload } = event.target.dataset;
  if (kind !== undefined) {
    await edit({ do: "kind", pointer: kind, kind: event.target.value });
    form.querySelector(`[data-kind="${CSS.escape(kind)}"]`)?.focus();
  } else if (upload !== undefined) {
    await uploadTo(upload, event.target.files[0]);
  } else if (pointer !== undefined || event.target === text) {
    await check();
  }
});

async function switchTo(wanted) {
  const answer = wanted === "text"
    ? await send("/jobs/new/text", request())
    : await send("/jobs/new/form", request());
  if (!answer.ok) { tell(answer.data.detail ?? "This cannot be read."); return; }
  if (wanted === "text") text.value = answer.data;
  else document.getElementById("form-view").innerHTML = answer.data;
  mode = wanted;
  document.getElementById("form-view").hidden = mode !== "form";
  document.getElementById("text-view").hidden = mode !== "text";
  for (const button of form.querySelectorAll("[data-mode]")) {
    button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }
  await check();
}

async function uploadTo(id, file) {
  if (!file) return;
  tell(`Uploading ${file.name} …`);
  const address = `/v1/assets?name=${encodeURIComponent(file.name)}`;
  const answer = await send(address, { body: file, type: "application/octet-stream" });
  if (!answer.ok) { tell(answer.data.detail); return; }
  const paths = answer.data.files.map((uploaded) => uploaded.path);
  document.getElementById(id).value = paths.find((path) => /\.usd[acz]?$/.test(path)) ?? paths[0];
  document.getElementById("uploads").append(...paths.map((path) => new Option(path, path)));
  await check();
}

// --- what is wrong with it ---

let checks = 0;

async function check() {
  attempt = null;
  document.getElementById("cost").hidden = true;
  const number = ++checks;
  const answer = await send("/v1/jobs:validate", request());
  if (number !== checks) return true;
  return judge(answer, "size");
}

function judge(answer, place) {
  clearFaults();
  if (answer.ok) {
    fill(document.getElementById(place), answer.data);
    tell("");
  } else if (answer.data.errors) {
    showFaults(answer.data.errors);
  } else {
    tell(answer.data.detail ?? `The server answered ${answer.status}.`);
  }
  return answer.ok;
}

function clearFaults() {
  faultBox.hidden = true;
  faultBox.replaceChildren();
  for (const fault of form.querySelectorAll(".fault")) fault.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", input.dataset.described ?? "");
    if (!input.dataset.described) input.removeAttribute("aria-describedby");
  }
}

function showFaults(faults) {
  const title = document.createElement("strong");
  title.textContent = faults.length === 1 ? "One fault" : `${faults.length} faults`;
  const list = document.createElement("ul");
  faults.forEach((fault, i) => list.append(entry(fault, `fault-${i}`)));
  faultBox.replaceChildren(title, list);
  faultBox.hidden = false;
}

function entry(fault, id) {
  const item = document.createElement("li");
  const field = mode === "form" ? fieldAt(fault.pointer) : null;
  const name = fault.pointer || "the job";
  if (field === null) {
    item.textContent = `${name}: ${fault.detail}`;
    return item;
  }
  mark(field, fault, id);
  const link = document.createElement("a");
  link.href = `#${field.input.id || field.box.id}`;
  link.textContent = placeOf(fault.pointer);
  link.addEventListener("click", (event) => { event.preventDefault(); goTo(field); });
  item.append(link, `: ${fault.detail}`);
  return item;
}

/** A pointer as people say it: `segments 1 › duration`. */
function placeOf(pointer) {
  const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("_", " "));
  return steps.reduce((said, step) => (/^\d+$/.test(step) ? `${said} ${+step + 1}` : `${said} › ${step}`));
}

/** The field at a pointer, or the group around it that the form does have. */
function fieldAt(pointer) {
  for (let here = pointer; here; here = here.slice(0, here.lastIndexOf("/"))) {
    const at = CSS.escape(here);
    const box = form.querySelector(`[data-at="${at}"]`);
    const input = form.querySelector(`[data-pointer="${at}"], [data-kind="${at}"]`) ?? box?.querySelector("input, select, button");
    if (input) return { input, box: box ?? input.closest("[data-at]") };
  }
  return null;
}

function mark({ input, box }, fault, id) {
  const told = document.createElement("p");
  told.className = "fault";
  told.id = id;
  told.textContent = fault.detail;
  if (box.matches(".group, .item")) box.querySelector(":scope > legend, :scope > summary").after(told);
  else box.append(told);
  if (input.matches("button")) return;
  input.dataset.described ??= input.getAttribute("aria-describedby") ?? "";
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${id} ${input.dataset.described}`.trim());
  for (let here = box; here !== form; here = here.parentElement) if (here.matches("details")) here.open = true;
}

function goTo({ input }) {
  for (let here = input; here !== form; here = here.parentElement) if (here.matches("details")) here.open = true;
  input.scrollIntoView({ block: "center" });
  input.focus({ preventScroll: true });
}

// --- what it will cost, and away with it ---

const counts = new Intl.NumberFormat("en");

function scaled(count, units) {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  return `${Number((count / 1000 ** power).toPrecision(3))} ${units[power]}`.trim();
}

const bytes = (count) => scaled(count, ["B", "kB", "MB", "GB", "TB"]);
const short = (count) => scaled(count, ["", "k", "M", "G", "T"]);

function time(seconds) {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min` : `about ${(minutes / 60).toFixed(1)} h`;
}

const shown = { frames: counts.format, segments: counts.format, events: short, spikes: short, bytes, expected_bytes: bytes, seconds: time };

function fill(list, data) {
  for (const place of list.querySelectorAll("[data-of]")) {
    const value = data[place.dataset.of];
    place.textContent = Array.isArray(value) ? counts.format(value.length) : shown[place.dataset.of](value);
  }
  list.hidden = false;
}

function tell(words) {
  told.textContent = words;
}

estimateButton.addEventListener("click", async () => {
  estimateButton.disabled = true;
  tell("Renders a sample …");
  try {
    judge(await send("/v1/jobs:estimate", request()), "cost");
  } finally {
    estimateButton.disabled = false;
  }
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  submitButton.disabled = true;
  try {
    await submit(request());
  } catch {
    tell("The server cannot be reached. Nothing is lost: submit again.");
  } finally {
    submitButton.disabled = false;
  }
});

async function submit(job) {
  if (attempt?.body !== job.body) attempt = { body: job.body, key: newKey() };
  const answer = await send("/v1/jobs", job, { "Idempotency-Key": attempt.key });
  clearFaults();
  if (answer.ok) {
    location.assign(`/jobs/${answer.data.id}`);
  } else if (answer.data.errors) {
    showFaults(answer.data.errors);
    (form.querySelector("[aria-invalid]") ?? faultBox).focus();
  } else {
    tell(answer.data.detail ?? `The server answered ${answer.status}.`);
  }
}

function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

document.querySelector(".templates [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
check();
