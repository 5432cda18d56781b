// Plain documents and the JSON pointers (RFC 6901) into them.

function steps(pointer) {
  return pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isContainer(value) {
  return typeof value === "object" && value !== null && !JSON.isRawJSON?.(value);
}

const WHOLE = /^-?[1-9]\d*$/;

/** A whole number beyond 2^53, which a JavaScript number would round, as it is written; undefined
 *  for all else, and in browsers from before 2025, which do not have such numbers. */
function large(written) {
  const tooLarge = WHOLE.test(written ?? "") && !Number.isSafeInteger(Number(written));
  return tooLarge ? JSON.rawJSON?.(written) : undefined;
}

/** The document of a JSON text, with every number as it is there. */
export function parsed(text) {
  return JSON.parse(text, (_key, value, context) => {
    return (typeof value === "number" && large(context?.source)) || value;
  });
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
  return exact ? number : (large(trimmed) ?? trimmed);
}
