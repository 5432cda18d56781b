// Plain documents and the JSON pointers (RFC 6901) into them.

function steps(pointer) {
  return pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isContainer(value) {
  return typeof value === "object" && value !== null;
}

/** Write a value at a pointer; objects and lists on the way are made. */
export function put(whole, pointer, value) {
  const way = steps(pointer);
  const last = way.pop();
  let here = whole;
  way.forEach((step, i) => {
    if (!isContainer(here[step])) here[step] = /^\d+$/.test(way[i + 1] ?? last) ? [] : {};
    here = here[step];
  });
  here[last] = value;
}

/** Remove what is at a pointer; of a list, only its end is cut, and an empty list goes too. */
export function takeOut(whole, pointer) {
  const way = steps(pointer);
  const last = way.pop();
  let here = whole;
  for (const step of way) {
    if (!isContainer(here[step])) return;
    here = here[step];
  }
  if (!Array.isArray(here)) { delete here[last]; return; }
  if (+last < here.length) here[last] = null;
  while (here.length && (here.at(-1) ?? null) === null) here.pop();
  if (here.length === 0) takeOut(whole, pointer.slice(0, pointer.lastIndexOf("/")));
}

/** What a typed text means; undefined when nothing was typed. What is no number stays text, so
 *  that the server can say so. */
export function typed(text, type) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (type === "text") return trimmed;
  if (type === "mixed" && (trimmed === "true" || trimmed === "false")) return trimmed === "true";
  const number = Number(trimmed);
  const exact = Number.isFinite(number) && (Number.isSafeInteger(number) || !Number.isInteger(number) || type === "number");
  return exact ? number : trimmed;
}
