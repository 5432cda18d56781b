// The form of a job. Every input stands at a JSON pointer of one document; the server renders the
// fields, checks the document, and says by pointers what is wrong with it.

import { parsed, put, takeOut, typed } from "./document.js";
import { clearFaults, showFaults } from "./faults.js";
import { bytes, counted, short, time } from "./numbers.js";

const form = document.getElementById("job");
const text = document.getElementById("text");
const submitButton = document.getElementById("submit");
const estimateButton = document.getElementById("estimate");
const told = document.getElementById("told");
const faultBox = document.getElementById("faults");

let mode = "form";
let attempt = null; // {body, key}: the same job sent again keeps its idempotency key

function gather() {
  const whole = parsed(document.getElementById("fields").dataset.document);
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
let released = Promise.resolve(); // faults move what stands below them: not from under a press

document.addEventListener("pointerdown", (event) => {
  if (event.target.closest("button") === null) return;
  released = new Promise((resolve) => {
    for (const end of ["pointerup", "pointercancel"]) {
      document.addEventListener(end, () => setTimeout(resolve), { once: true }); // the click comes first
    }
  });
});

async function check() {
  attempt = null;
  document.getElementById("cost").hidden = true;
  const number = ++checks;
  const answer = await send("/v1/jobs:validate", request());
  await released;
  if (number !== checks) return true;
  return judge(answer, "size");
}

function judge(answer, place) {
  clearFaults(form, faultBox);
  if (answer.ok) {
    fill(document.getElementById(place), answer.data);
    tell("");
  } else if (answer.data.errors) {
    showFaults(form, faultBox, answer.data.errors);
  } else {
    tell(answer.data.detail ?? `The server answered ${answer.status}.`);
  }
  return answer.ok;
}

// --- what it will cost, and away with it ---

const shown = { frames: counted, segments: counted, events: short, spikes: short, bytes, expected_bytes: bytes, seconds: time };

function fill(list, data) {
  for (const place of list.querySelectorAll("[data-of]")) {
    const value = data[place.dataset.of];
    place.textContent = Array.isArray(value) ? counted(value.length) : shown[place.dataset.of](value);
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
  clearFaults(form, faultBox);
  if (answer.ok) {
    location.assign(`/jobs/${answer.data.id}`);
  } else if (answer.data.errors) {
    showFaults(form, faultBox, answer.data.errors);
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
