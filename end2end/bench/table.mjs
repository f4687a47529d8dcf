// The tables that comparisons print.

export const bytes = (/** @type {number} */ value) => `${group(value / 1000)} kB`;
export const megabytes = (/** @type {number} */ value) => `${group(value / 1e6)} MB`;
export const count = (/** @type {number} */ value) => group(value);
export const whole = (/** @type {number} */ value) => `${group(value)} ms`;
export const fine = (/** @type {number} */ value) => `${value.toFixed(2)} ms`;
export const micro = (/** @type {number} */ value) => `${value.toFixed(1)} µs`;
export const seconds = (/** @type {number} */ value) => `${value.toFixed(2)} s`;
export const percent = (/** @type {number} */ value) => `${Math.round(value * 100)} %`;
export const times = (/** @type {number} */ value) => `${value.toFixed(1)} ×`;

/** A figure that may be missing, because there is nothing to measure. @param {number | undefined} value @param {(value: number) => string} unit */
export function cell(value, unit) {
  return value === undefined ? '–' : unit(value);
}

/** What a figure has to be, and whether it is. @param {string} target @param {boolean} holds */
export function aim(target, holds) {
  return `${target}${holds ? '' : '  MISSED'}`;
}

/** Rows of cells, and titles between them. @param {string[]} head @param {(string[] | string)[]} rows @returns {string} */
export function table(head, rows) {
  const filled = [head, ...rows.filter((row) => typeof row !== 'string')];
  const widths = head.map((_, column) => Math.max(...filled.map((row) => (row[column] ?? '').length)));
  const indented = (/** @type {string[]} */ [first, ...rest]) => [`  ${first}`, ...rest];
  const put = (/** @type {string[]} */ row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0] + 2) : text.padStart(widths[column]))).join('  ').trimEnd();
  return [put(head), ...rows.map((row) => (typeof row === 'string' ? `\n${row}` : put(indented(row))))].join('\n');
}

/** Thousands apart. @param {number} value */
function group(value) {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}
