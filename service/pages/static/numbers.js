// Numbers as people read them.

const thousands = new Intl.NumberFormat("en");

/** A count with thousands apart. */
export const counted = (count) => thousands.format(count);

function scaled(count, units) {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(count, 1)) / 3)));
  return `${Number((count / 1000 ** power).toPrecision(3))} ${units[power]}`.trim();
}

/** Bytes with a unit. */
export const bytes = (count) => scaled(count, ["B", "kB", "MB", "GB", "TB"]);
/** A count with three digits and a unit. */
export const short = (count) => scaled(count, ["", "k", "M", "G", "T"]);

/** A rough span of time. */
export function time(seconds) {
  if (seconds < 90) return `about ${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `about ${minutes} min` : `about ${(minutes / 60).toFixed(1)} h`;
}
