// How amounts, moments and names are said.

const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function long(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map(unit => Math.floor(seconds / unit));
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${minutes % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** So coarse that what is idle does not change with every look. */
function about(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return "a few seconds";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : long(milliseconds).replace(/^(\d+ h) 0 min$/, "$1");
}

function amount(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  for (; bytes >= 999.5 && at < units.length - 1; at += 1) bytes /= 1000;
  return `${at === 0 || bytes >= 99.5 ? Math.round(bytes) : bytes.toFixed(1)} ${units[at]}`;
}

const rate = bytes => `${amount(bytes)}/s`;
const clock = moment => new Date(moment).toLocaleTimeString("en-GB");

/** The day too, where it was not today. */
function moment(of) {
  const date = new Date(of);
  const day = date.toLocaleDateString("sv-SE");
  return day === new Date().toLocaleDateString("sv-SE") ? clock(of) : `${day} ${clock(of)}`;
}

const time = of => make("time", { datetime: of, title: of }, moment(of));
const title = text => `“${text}”`;
const route = one => `${one.peer} → ${one.upstream}`;
const host = address => address.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");

/** As a POSIX shell reads it back. */
const quoted = text => (/^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** A line of the configuration, with what stands around it; a tenant is told none. */
const ofLine = (line, before, behind) => (line ? `${before}line ${line} of the configuration${behind}` : "");
