// The one table that the comparison prints.

/**
 * @typedef {object} Row
 * @property {string} figure
 * @property {number} [flowdeck] @property {number} [mlflow] nothing where there is nothing to measure
 * @property {(value: number) => string} unit
 */

export const bytes = (/** @type {number} */ value) => `${group(value / 1000)} kB`;
export const count = (/** @type {number} */ value) => group(value);
export const whole = (/** @type {number} */ value) => `${group(value)} ms`;
export const fine = (/** @type {number} */ value) => `${value.toFixed(2)} ms`;

/** Rows, and titles between them. @param {(Row | string)[]} rows @returns {string} */
export function table(rows) {
  const head = ['', 'Flowdeck', 'MLflow', 'ratio'];
  const lines = rows.map((row) => (typeof row === 'string' ? row : cells(row)));
  const filled = lines.filter((line) => typeof line !== 'string');
  const widths = head.map((title, column) => Math.max(title.length, ...filled.map((line) => line[column].length)));
  const put = (/** @type {string[]} */ line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ').trimEnd();
  return [put(head), ...lines.map((line) => (typeof line === 'string' ? `\n${line}` : put(line)))].join('\n');
}

/** @param {Row} row */
function cells({ figure, flowdeck, mlflow, unit }) {
  const show = (/** @type {number | undefined} */ value) => (value === undefined ? '–' : unit(value));
  return [`  ${figure}`, show(flowdeck), show(mlflow), flowdeck !== undefined && mlflow ? (flowdeck / mlflow).toPrecision(2) : '–'];
}

/** Thousands apart. @param {number} value */
function group(value) {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}
