// Faults with JSON pointers, each shown at the field that stands there.

/** Take away all that was said. */
export function clearFaults(form, box) {
  box.hidden = true;
  box.replaceChildren();
  for (const fault of form.querySelectorAll(".fault")) fault.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.setAttribute("aria-describedby", input.dataset.described ?? "");
    if (!input.dataset.described) input.removeAttribute("aria-describedby");
  }
}

/** Say every fault beside its field, and all of them in a box that leads there. */
export function showFaults(form, box, faults) {
  const title = document.createElement("strong");
  title.textContent = faults.length === 1 ? "One fault" : `${faults.length} faults`;
  const list = document.createElement("ul");
  faults.forEach((fault, i) => list.append(entry(form, fault, `fault-${i}`)));
  box.replaceChildren(title, list);
  box.hidden = false;
}

function entry(form, fault, id) {
  const item = document.createElement("li");
  const field = fieldAt(form, fault.pointer);
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
function fieldAt(form, pointer) {
  for (let here = pointer; here; here = here.slice(0, here.lastIndexOf("/"))) {
    const at = CSS.escape(here);
    const box = form.querySelector(`[data-at="${at}"]`);
    const input = form.querySelector(`[data-pointer="${at}"], [data-kind="${at}"]`) ?? box?.querySelector("input, select, button");
    if (input && !input.closest("[hidden]")) return { input, box: box ?? input.closest("[data-at]") };
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
  unfold(box);
}

/** Open all that an element is folded into. */
function unfold(element) {
  for (let here = element.closest("details"); here; here = here.parentElement.closest("details")) here.open = true;
}

function goTo({ input }) {
  unfold(input);
  input.scrollIntoView({ block: "center" });
  input.focus({ preventScroll: true });
}
